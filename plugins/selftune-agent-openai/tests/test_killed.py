"""An answer that is on its way when the command is killed is kept by the next run, for nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

from selftune_build.testing.model_server import Answer, Conversation, Listed, Say, use_skill

from .conftest import Bench, task


def test_a_killed_command_loses_no_answer(bench: Bench) -> None:
    asked, killed = threading.Event(), threading.Event()

    def then(conversation: Conversation, skill: Listed) -> Answer:
        asked.set()
        killed.wait(120)
        return Say("quokka")

    bench.server.script = use_skill("zebra", then)
    bench.cases(task("t", "form", {"contains": "quokka"}))
    command = [sys.executable, "-P", "-m", "selftune_build", "build", "pdf-forms:replay"]
    environment = {**os.environ, **bench.workspace.environment}
    with subprocess.Popen(command, cwd=bench.workspace.root, env=environment, stdout=subprocess.DEVNULL) as running:
        assert asked.wait(120)
        running.send_signal(signal.SIGKILL)
        running.wait()
    killed.set()
    report = bench.build()
    assert (report["exit_code"], report["spend"]["agent_calls"], bench.row("t")["passed"]) == (0, 0, 1)
    assert len(bench.server.conversations) == 2
    assert bench.row("t")["observed"] == ["pdf-forms:body"]
    assert bench.left() == []
