"""The package profile works inside its workspace; a write outside is refused and kept in the sample."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from selftune_build.testing.model_server import Answer, Call, Conversation, ModelServer, Say, shell
from tests.hosts.hosts import SCRIPTING, Bench, task, trigger


def patch(path: str) -> str:
    return f"*** Begin Patch\n*** Add File: {path}\n+escaped\n*** End Patch\n"


def write(conversation: Conversation, path: Path) -> Call:
    """The call with which the host's model writes a file, without a command where the host has a tool for it."""
    for tool in conversation.tools:
        if tool.name in ("Write", "create", "write", "write_file"):
            place, content = (
                next(name for name in names if name in tool.schema["properties"])
                for names in (("file_path", "filePath", "path"), ("content", "file_text"))
            )
            return Call(tool.name, {place: str(path), content: "escaped"})
    return shell(conversation, f"apply_patch <<'EOF'\n{patch(str(path))}EOF")


@pytest.mark.parametrize("by_command", [True, False], ids=["command", "tool"])
def test_a_write_outside_is_refused_and_reported(bench: Bench, tmp_path: Path, by_command: bool) -> None:
    refuses(bench, tmp_path, by_command)


def test_so_is_one_of_a_script_of_a_newer_model(tmp_path: Path, server: ModelServer, codex: str) -> None:
    bench = Bench(tmp_path, codex, server, SCRIPTING)
    refuses(bench, tmp_path, by_command=True)
    assert all(conversation.offers("exec") for conversation in server.conversations)


def refuses(bench: Bench, tmp_path: Path, by_command: bool) -> None:
    """Nothing is written and the report says what was tried."""
    outside = [tmp_path / "outside", bench.user / "outside", bench.temporary / "outside"]

    def script(conversation: Conversation) -> Answer:
        step = len(conversation.results)
        if step == len(outside) or not conversation.tools:
            return Say("tried")
        if by_command:
            return shell(conversation, f"echo escaped > {outside[step]}")
        return write(conversation, outside[step])

    bench.server.script = script
    bench.cases(task("t", "Write somewhere", "tried"))
    ran = bench.build("pdf-forms:replay[t]")
    assert bench.row("t")["passed"] == 1, ran.stderr
    assert [path for path in outside if path.exists()] == []
    refused = bench.replies()[0].refused
    assert all(any(str(path) in line for line in refused) for path in outside), refused
    (found,) = [each for each in ran.report["packages"][0]["findings"] if each["code"] == "act-refused"]
    assert all(str(path) in found["message"] for path in outside)


def test_writing_inside_works_and_the_staged_skill_can_be_run(bench: Bench) -> None:
    bench.write("skills/pdf-forms/scripts/count.sh", "#!/bin/sh\nwc -l < in.txt > count.txt\n")
    os.chmod(bench.workspace / "skills/pdf-forms/scripts/count.sh", 0o755)
    bench.write("skills/pdf-forms/evals/in.txt", "one\ntwo\n")

    def script(conversation: Conversation) -> Answer:
        if conversation.results or not conversation.tools:
            return Say("counted")
        return shell(conversation, f"{bench.facts.folder}/pdf-forms/scripts/count.sh")

    bench.server.script = script
    check = {"file-contains": {"path": "count.txt", "text": "2"}}
    case = {"id": "t", "prompt": "Count", "should_trigger": False, "files": ["evals/in.txt"], "checks": [check]}
    bench.cases(case)
    bench.build("pdf-forms:replay[t]")
    assert bench.row("t")["passed"] == 1
    assert "pdf-forms:file:scripts/count.sh" in bench.row("t")["observed"]
    assert bench.replies()[0].refused == ()


def test_the_routing_profile_cannot_write_even_inside(bench: Bench) -> None:
    def script(conversation: Conversation) -> Answer:
        return Say("tried") if conversation.results or not conversation.tools else write(conversation, Path("inside.txt"))

    bench.server.script = script
    bench.cases(trigger("t", "Fill in this form"))
    bench.build()
    assert bench.archives()[0].files == []
    assert json.loads(bench.archives()[0].raw.splitlines()[0])["type"] == "selftune.opening/1"
