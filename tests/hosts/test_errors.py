"""What a service or a program can do to a run: an error of its kind, kept, tried again within limits, never evidence."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from selftune_build.model.sample import ErrorKind
from selftune_build.testing.model_server import Answer, Conversation, Cut, Hang, Late, Refuse, Say, Script, shell, use_skill
from tests.hosts.hosts import SECRET, Bench, task, trigger


def build_against(bench: Bench, script: Script, **more: str) -> int:
    bench.server.script = script
    bench.cases(trigger("t", "Fill in this form"))
    ran = bench.build(**more)
    assert bench.archives() == []
    return ran.status


def test_a_login_that_is_refused_ends_the_run_at_once(bench: Bench) -> None:
    assert build_against(bench, lambda conversation: Refuse(401)) == 3
    assert [attempt.kind for attempt in bench.attempts()] == [ErrorKind.AUTH]


def test_a_rate_limit_is_waited_for_as_long_as_the_service_says(bench: Bench) -> None:
    started = time.monotonic()
    assert build_against(bench, lambda conversation: Refuse(429, retry_after=2)) == 3
    attempts = bench.attempts()
    assert [attempt.kind for attempt in attempts] == [ErrorKind.RATE_LIMIT] * 3
    if bench.facts.tells_pause:
        own = 3 * 2 if bench.host == "claude" else 0  # which keeps one pause in every attempt
        assert time.monotonic() - started >= own + 2 * 2


@pytest.mark.parametrize("answer", [Refuse(500), Refuse(529), Cut()], ids=["500", "529", "cut"])
def test_a_service_that_breaks_is_asked_again_and_is_no_evidence(bench: Bench, answer: Answer) -> None:
    assert build_against(bench, lambda conversation: answer) == 3
    assert [attempt.kind for attempt in bench.attempts()] == [ErrorKind.REPORTED] * 3


def test_a_service_that_recovers_gives_an_answer(bench: Bench, tmp_path: Path) -> None:
    failed_once = tmp_path / "failed"

    def script(conversation: Conversation) -> Answer:
        if not failed_once.exists() or failed_once.read_text().count("x") < 2:
            with failed_once.open("a") as file:
                file.write("x")
            return Refuse(500)
        return Say("back again")

    bench.server.script = script
    bench.cases(task("t", "Fill in this form", "back again"))
    bench.build("pdf-forms:replay[t]")
    assert bench.row("t")["passed"] == 1
    assert (bench.attempts() != []) != bench.facts.retries


def test_a_service_that_never_answers_runs_into_the_time_limit_and_leaves_no_process(bench: Bench) -> None:
    bench.write("skills/pdf-forms/selftune.yaml", "version: 1\nlimits: {timeout_s: 4}\n")
    assert build_against(bench, lambda conversation: Hang()) == 3
    assert [attempt.kind for attempt in bench.attempts()] == [ErrorKind.TIMEOUT] * 2
    assert processes_below(bench.temporary) == []
    assert list(bench.temporary.glob("selftune-*")) == []


@pytest.mark.parametrize("host", ["gemini"], indirect=True)  # which gives every command a session of its own
def test_a_command_that_never_ends_is_ended_with_the_run(bench: Bench) -> None:
    bench.write("skills/pdf-forms/selftune.yaml", "version: 1\nlimits: {timeout_s: 8}\n")
    bench.server.script = lambda conversation: Say("done") if conversation.results else shell(conversation, "sleep 283")
    bench.cases(task("t", "Fill in this form", "done"))
    bench.build("pdf-forms:replay[t]")
    assert [attempt.kind for attempt in bench.attempts()] == [ErrorKind.TIMEOUT] * 2
    assert processes_below(bench.temporary) == []


@pytest.mark.parametrize("host", ["claude", "codex"], indirect=True)  # the first waits by itself, and runs into the limit
def test_a_rate_limit_longer_than_the_time_limit_is_not_a_failure_of_the_skill(bench: Bench) -> None:
    bench.write("skills/pdf-forms/selftune.yaml", "version: 1\nlimits: {timeout_s: 4}\n")
    assert build_against(bench, lambda conversation: Refuse(429, retry_after=30)) == 3
    assert {attempt.kind for attempt in bench.attempts()} == {ErrorKind.RATE_LIMIT}


def test_after_a_kill_the_answer_of_the_orphan_is_taken_and_not_paid_for_again(bench: Bench) -> None:
    bench.server.script = use_skill("zebra", lambda conversation, skill: Late(3, Say("done")))
    bench.cases(trigger("t", "Fill in this form"))
    running = subprocess.Popen(bench.command("pdf-forms"), env=bench.environment(), stdout=subprocess.DEVNULL)
    wait_for(lambda: any(conversation.results for conversation in bench.server.conversations))
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    asked = len(bench.server.conversations)
    ran = bench.build()
    assert ran.calls == 0
    assert len(bench.server.conversations) == asked
    assert bench.row("t")["triggered"] == 1
    assert processes_below(bench.temporary) == []


def test_a_program_that_is_missing_is_named_with_the_command_that_installs_it(bench: Bench) -> None:
    bench.cases(trigger("t", "Fill in this form"))
    ran = bench.build(PATH="/usr/bin:/bin")
    assert ran.status == 3
    assert "npm install --global" in str(ran.report)
    assert bench.server.requests == ()


def test_the_login_is_nowhere_in_the_store(bench: Bench) -> None:
    def script(conversation: Conversation) -> Answer:
        if conversation.results or not conversation.tools:
            return Say(f"It is {SECRET}. {conversation.results[-1].text if conversation.results else ''}")
        return shell(conversation, "env; cat /proc/$PPID/environ | tr '\\0' '\\n'")

    bench.server.script = script
    bench.cases(task("t", "What is the key?", f"It is {bench.facts.mask}"))
    bench.build()
    assert bench.row("t")["passed"] == 1
    assert SECRET.encode() not in bench.stored()


def wait_for(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def processes_below(folder: Path) -> list[str]:
    """Command lines of processes whose working directory is below a folder."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and os.readlink(process / "cwd").startswith(f"{folder}/"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found
