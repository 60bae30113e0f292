"""The contract of a command agent (DESIGN 8.5): what the program gets, byte for byte, and what its end means."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from selftune_build.agents.command import CommandAgent
from selftune_build.agents.protocol import AgentFailure, CompleteRequest, RunRequest, StagedSkill
from selftune_build.agents.staging import SkillSource, Staging
from selftune_build.errors import InputError
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.model.manifest import AgentDefinition
from selftune_build.model.package import TreeFile
from selftune_build.model.sample import ErrorKind, EvidenceOrigin, Usage

CALL_ID = "sha256:" + "c" * 64
ECHO = """#!/usr/bin/env python3
import json, os, sys
seen = {"request": sys.stdin.read(), "env": dict(os.environ), "argv": sys.argv, "cwd": os.getcwd()}
seen["leads its group"] = os.getpgid(0) == os.getpid()
print(json.dumps({"output": json.dumps(seen)}))
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace of the user with a program in it."""
    (tmp_path / "user/tools").mkdir(parents=True)
    program = tmp_path / "user/tools/agent.py"
    program.write_text(ECHO)
    program.chmod(0o755)
    return tmp_path / "user"


def agent(root: Path, *argv: str, model: str | None = None, **fields: Any) -> CommandAgent:
    argv = argv or (sys.executable, "-S", "tools/agent.py")
    return CommandAgent("house", AgentDefinition(type="command", argv=argv, **fields), root, model)


def scripted(root: Path, code: str) -> CommandAgent:
    return agent(root, sys.executable, "-S", "-c", code)


@pytest.fixture
def stage(root: Path) -> Any:
    content = b"---\nname: pdf\ndescription: Fills forms.\n---\n"
    (root / "SKILL.md").write_bytes(content)
    file = TreeFile("SKILL.md", digest_bytes(content), len(content), executable=False)
    with Staging([], {"pdf": SkillSource("pdf", root, (file,))}) as stage:
        stage.place_all()
        yield stage


def request(stage: Staging, **fields: Any) -> RunRequest:
    plain = {"prompt": "Fill it: ä\n", "model": "m-1", "sample": 2, "timeout_s": 20, "max_turns": 7}
    return RunRequest(call_id=CALL_ID, workspace=stage, skills=(StagedSkill("pdf", "Fills forms."),), **(plain | fields))


def answer_of(house: CommandAgent, asked: RunRequest | CompleteRequest, folder: Path) -> bytes:
    with (folder / "answer").open("w+b", buffering=0) as answer:
        house.run(asked, answer) if isinstance(asked, RunRequest) else house.complete(asked, answer)
        answer.seek(0)
        return answer.read()


def seen_by(house: CommandAgent, asked: RunRequest | CompleteRequest, folder: Path) -> dict[str, Any]:
    return json.loads(house.parse(answer_of(house, asked, folder)).output)


def failure_of(house: CommandAgent, asked: RunRequest, folder: Path) -> AgentFailure:
    with pytest.raises(AgentFailure) as caught:
        answer_of(house, asked, folder)
    return caught.value


def test_the_request_is_one_line_of_json_with_the_fields_of_the_contract(root: Path, stage: Staging, tmp_path: Path) -> None:
    seen = seen_by(agent(root), request(stage), tmp_path)
    expected = {
        "protocol": "selftune.agent/1",
        "call_id": CALL_ID,
        "role": "run",
        "prompt": "Fill it: ä\n",
        "workspace": str(stage.root),
        "skills": [{"name": "pdf", "path": f"{stage.root}/.agents/skills/pdf", "description": "Fills forms."}],
        "model": "m-1",
        "sample": 2,
        "timeout_s": 20,
        "max_turns": 7,
    }
    assert seen["request"] == json.dumps(expected) + "\n"
    assert seen["cwd"] == str(stage.root)
    assert os.path.isabs(seen["cwd"])
    assert (stage.root / ".agents/skills/pdf/SKILL.md").exists()
    assert seen["leads its group"]


def test_a_completion_has_no_workspace_no_skills_and_may_carry_a_schema(root: Path, tmp_path: Path) -> None:
    asked = CompleteRequest(call_id=CALL_ID, prompt="Judge.", model=None, timeout_s=20, schema={"type": "object"})
    seen = seen_by(agent(root), asked, tmp_path)
    sent = json.loads(seen["request"])
    assert (sent["role"], sent["workspace"], sent["skills"], sent["model"]) == ("complete", None, [], None)
    assert (sent["prompt"], sent["schema"], sent["max_turns"]) == ("Judge.", {"type": "object"}, 1)
    assert not Path(seen["cwd"]).exists()
    plain = json.loads(seen_by(agent(root), CompleteRequest(CALL_ID, "Judge.", None, 20), tmp_path)["request"])
    assert "schema" not in plain


def test_a_completion_can_be_cancelled(root: Path, tmp_path: Path) -> None:
    cancel = threading.Event()
    cancel.set()
    house = scripted(root, "import time; time.sleep(60)")
    with pytest.raises(AgentFailure) as caught:
        answer_of(house, CompleteRequest(CALL_ID, "Judge.", None, 50, cancel=cancel), tmp_path)
    assert caught.value.message == "cancelled before it answered"


def test_the_environment_is_the_allow_list_and_the_names_of_the_manifest(
    root: Path, stage: Staging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {
        "SECRET": "s",
        "HOUSE_KEY": "k",
        "LC_TIME": "C",
        "TZ": "UTC",
        "HOME": "/home/me",
        "SELFTUNE_STORE": "/s",
        "PYTHONPATH": "/p",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    environment = seen_by(agent(root, env=("HOUSE_KEY", "NOT_SET", "HOME")), request(stage), tmp_path)["env"]
    assert (environment["HOUSE_KEY"], environment["LC_TIME"], environment["TZ"]) == ("k", "C", "UTC")
    assert not {"SECRET", "SELFTUNE_STORE", "PYTHONPATH", "NOT_SET", "PYTEST_CURRENT_TEST"} & environment.keys()
    home = str(stage.home)
    assert environment["HOME"] == home
    assert {environment[name] for name in ("TMPDIR", "TMP", "TEMP")} == {f"{home}/tmp"}
    assert Path(home, "tmp").is_dir()
    allowed = {"PATH", "LANG", "LANGUAGE", "TERM", "TZ", "SYSTEMROOT", "HOME", "TMPDIR", "TMP", "TEMP", "PYTHONDONTWRITEBYTECODE"}
    assert {name for name in environment if not name.startswith("LC_")} - allowed == {"HOUSE_KEY"}


def test_argv_is_relative_to_the_manifest_and_only_files_of_the_workspace_are_made_absolute(
    root: Path, stage: Staging, tmp_path: Path
) -> None:
    (root / "skills/pdf").mkdir(parents=True)
    (root / "skills/pdf/local.py").write_text(ECHO)
    house = agent(root, sys.executable, "-S", "local.py", "--flag", "../../tools/agent.py", "nowhere.py", base="skills/pdf")
    seen = seen_by(house, request(stage), tmp_path)
    assert seen["argv"] == [f"{root}/skills/pdf/local.py", "--flag", f"{root}/skills/pdf/../../tools/agent.py", "nowhere.py"]
    assert list(house.identity["files"]) == ["local.py", "../../tools/agent.py"]


def test_the_identity_covers_what_is_declared_and_the_bytes_of_the_program_but_no_values(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = agent(root).identity
    assert plain == {
        "plugin": "command",
        "argv": [sys.executable, "-S", "tools/agent.py"],
        "files": {"tools/agent.py": digest_bytes(ECHO.encode())},
    }
    monkeypatch.setenv("HOUSE_KEY", "first")
    first = agent(root, env=("B", "A", "A")).identity
    monkeypatch.setenv("HOUSE_KEY", "second")
    assert agent(root, env=("A", "B")).identity == first == {**plain, "env": ["A", "B"]}
    others = [
        agent(root, model="m").identity,
        agent(root, deterministic=True).identity,
        agent(root, cache_version="2").identity,
        agent(root, sys.executable, "tools/agent.py").identity,
    ]
    (root / "tools/agent.py").write_text(ECHO + "\n")
    others.append(agent(root).identity)
    assert len({json.dumps(each, sort_keys=True) for each in [plain, first, *others]}) == 7
    assert agent(root, free=True, origin="live").identity == agent(root).identity


@pytest.mark.parametrize(
    ("fields", "origin"),
    [
        ({}, "live"),
        ({"deterministic": True}, "simulated"),
        ({"deterministic": True, "origin": "live"}, "live"),
        ({"origin": "simulated"}, "simulated"),
    ],
)
def test_the_origin_is_as_declared_else_what_is_deterministic_is_simulated(
    root: Path, fields: dict[str, Any], origin: str
) -> None:
    assert agent(root, **fields).traits.origin is EvidenceOrigin(origin)


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        ("import sys; print('{}'); sys.exit('out of\\ncredit')", ErrorKind.CRASH, "exit status 1: out of credit"),
        ("import os; os.kill(os.getpid(), 9)", ErrorKind.CRASH, "ended by signal 9"),
        ("import sys; sys.stderr.buffer.write(b'\\xff\\x1b[1mx'); sys.exit(3)", ErrorKind.CRASH, "exit status 3: \ufffd?[1mx"),
    ],
)
def test_an_end_other_than_0_is_a_crash_with_the_end_of_stderr(
    root: Path, stage: Staging, tmp_path: Path, code: str, kind: ErrorKind, message: str
) -> None:
    failure = failure_of(scripted(root, code), request(stage), tmp_path)
    assert (failure.kind, failure.message) == (kind, message)


def test_the_time_limit_is_that_of_the_request(root: Path, stage: Staging, tmp_path: Path) -> None:
    house = scripted(root, "import sys, time; print('waking', file=sys.stderr, flush=True); time.sleep(60)")
    failure = failure_of(house, request(stage, timeout_s=1), tmp_path)
    assert (failure.kind, failure.message) == (ErrorKind.TIMEOUT, "no answer within 1 s: waking")


def test_a_flood_is_one_by_its_size(root: Path, stage: Staging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selftune_build.agents.command.RESPONSE_BYTES", 1000)
    failure = failure_of(scripted(root, "print('x' * 2000)"), request(stage), tmp_path)
    assert (failure.kind, failure.message) == (ErrorKind.FLOOD, "more than 1000 bytes of output")
    assert (tmp_path / "answer").stat().st_size == 1000


def test_no_exec_refuses_it(root: Path, stage: Staging, tmp_path: Path) -> None:
    failure = failure_of(agent(root), request(stage, allow_exec=False), tmp_path)
    assert (failure.kind, "--no-exec" in failure.message) == (ErrorKind.UNAVAILABLE, True)
    assert (tmp_path / "answer").read_bytes() == b""


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("no-such-program-here",), "the program `no-such-program-here` of the agent `house` is not on PATH: install it"),
        (("tools/gone.py",), "the program `tools/gone.py` of the agent `house` is not in the workspace"),
        (("tools/plain.py",), "tools/plain.py is not executable: run `chmod +x tools/plain.py`"),
        (("python3", "-u", "gone.py"), "gone.py of the agent `house` is not in the workspace: write it"),
        (("python3", "../beside.py"), "../beside.py of the agent `house` lies outside of the workspace"),
    ],
)
def test_a_program_that_cannot_be_started_says_what_to_do(root: Path, argv: tuple[str, ...], words: str) -> None:
    for path in ("tools/plain.py", "../beside.py"):
        (root / path).write_text("")
    said = agent(root, *argv).unavailable()
    assert said is not None
    assert said.startswith(words)
    assert agent(root).unavailable() is None
    assert agent(root, "tools/agent.py").unavailable() is None


def test_a_program_that_vanishes_after_the_start_is_unavailable(root: Path, stage: Staging, tmp_path: Path) -> None:
    house = agent(root, "tools/agent.py")
    (root / "tools/agent.py").unlink()
    failure = failure_of(house, request(stage), tmp_path)
    assert failure.kind is ErrorKind.UNAVAILABLE
    assert "tools/agent.py: No such file or directory" in failure.message


def test_a_program_file_that_cannot_be_read_is_bad_input(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selftune_build.agents.command.COMMAND_FILE_MAX_BYTES", 10)
    with pytest.raises(InputError, match="is larger than 10 bytes"):
        agent(root)


@pytest.mark.parametrize(
    ("raw", "usage"),
    [
        (b'{"usage": {"input_tokens": 3, "cost_usd": 0.25}, "error": "down"}', Usage(3, 0, "0.25")),
        (b'{"usage": {"output_tokens": 4}, "output": 7}', Usage(0, 4, "0", unpriced=True)),
        (b'{"usage": {"cost_usd": NaN}}', None),
        (b'{"usage": {"cost_usd": -1}}', None),
        (b'{"usage": null}', None),
        (b'{"output": "x"}', None),
        (b"[1]", None),
        (b"7", None),
        (b"", None),
        (b"\xff", None),
        (b"[" * 100_000, None),
        (b'{"usage": ' + b"9" * 5000 + b"}", None),
    ],
)
def test_what_an_answer_cost_is_read_whatever_else_is_wrong_with_it(root: Path, raw: bytes, usage: Usage | None) -> None:
    assert agent(root).billed(raw) == usage


def test_an_answer_goes_into_the_very_file_it_was_given(root: Path, stage: Staging, tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("ab", buffering=0) as answer:
        answer.write(b"intent\n")
        scripted(root, "print('{}')").run(request(stage), answer)
        assert isinstance(answer, io.FileIO)
    assert path.read_bytes() == b"intent\n{}\n"
