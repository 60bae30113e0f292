"""An agent around any host program, here a small script that behaves as told."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from selftune_build.agents.hosts import Host, HostAgent, Invocation, Login, Program, Stream, Variable
from selftune_build.agents.protocol import AgentFailure, AgentSettings, CompleteRequest, RunRequest
from selftune_build.agents.staging import Staging
from selftune_build.errors import InputError
from selftune_build.model.manifest import AgentDefinition
from selftune_build.model.sample import ErrorKind, EvidenceOrigin, Reply, Usage

TOKEN = "token-0123456789abcdef"


def reply(stream: Stream) -> Reply:
    end = stream.last("end")
    if end is None:
        raise AgentFailure(ErrorKind.PROTOCOL, "no end")
    if "error" in end:
        raise AgentFailure(ErrorKind.RATE_LIMIT, end["error"], retry_after_s=3)
    return Reply(output=end["text"], program=(stream.closing or {}).get("version"))


HOST = Host(
    id="small",
    cache_version="1",
    program=Program("small-host", "install small-host"),
    login=Login((Variable("SMALL_KEY"),)),
    skills_folder=".small/skills",
    profiles={"package": ["do"], "routing": ["look"]},
    invocation=lambda session: Invocation((session.profile or "complete",), stdin=session.prompt.encode()),
    reply=reply,
    usage=lambda stream: Usage(int((stream.last("end") or {})["tokens"])),
    invoked=lambda prompt, names: (),
    closing=lambda home: {"version": "small 1.0"},
)

Ask = Callable[..., bytes]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Installs the host program: a shell script."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.setenv("SMALL_KEY", TOKEN)

    def install(code: str) -> None:
        (folder / "small-host").write_text(f"#!/bin/sh\n{code}\n")
        (folder / "small-host").chmod(0o755)

    return install


@pytest.fixture
def agent() -> HostAgent:
    return HostAgent(HOST, AgentSettings("small", None, "some-model", Path("/")))


@pytest.fixture
def ask(agent: HostAgent, tmp_path: Path) -> Ask:
    def ask(prompt: str = "hello", timeout_s: int = 20, **more: Any) -> bytes:
        path = tmp_path / "answer"
        path.write_bytes(b"intent\n")
        with Staging() as stage, path.open("ab+", buffering=0) as answer:
            stage.place_all()
            request = RunRequest("sha256:0", prompt, stage, (), None, 0, timeout_s, 10, **more)
            agent.run(request, answer)
        return path.read_bytes().removeprefix(b"intent\n")

    return ask


def test_the_prompt_goes_in_by_stdin_and_the_stream_is_the_answer(program: Any, ask: Ask, agent: HostAgent) -> None:
    program("""printf '{"type":"end","text":"%s in %s","tokens":5}\\n' "$(cat)" "$1\"""")
    raw = ask("--hello")
    assert agent.parse(raw) == Reply(output="--hello in package", program="small 1.0")
    assert agent.billed(raw) == Usage(5)


def test_it_runs_in_a_home_of_its_own_and_writes_nowhere_else(
    program: Any, ask: Ask, agent: HostAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMALL_OTHER", "other")
    outside = tmp_path / "outside"
    program(
        f'touch "$HOME/a" "$TMPDIR/b" c; touch {outside} || echo refused >&2\n'
        """printf '{"type":"end","text":"%s %s %s","tokens":5}\\n' "$HOME" "${SMALL_OTHER-unset}" "$(ls)\""""
    )
    text = agent.parse(ask()).output
    assert text.endswith("/home unset c")
    assert str(Path.home()) not in text.split()
    assert not outside.exists()


def test_under_routing_not_even_the_workspace_can_be_written(program: Any, ask: Ask, agent: HostAgent) -> None:
    program("""touch c 2>/dev/null; printf '{"type":"end","text":"%s:%s","tokens":5}\\n' "$1" "$(ls)\"""")
    assert agent.parse(ask(profile="routing")).output == "routing:"


def test_a_login_in_the_answer_is_masked_also_in_what_is_said_of_a_crash(program: Any, ask: Ask, agent: HostAgent) -> None:
    program("""printf '{"type":"end","text":"%s","tokens":5}\\n' "$SMALL_KEY\"""")
    assert agent.parse(ask()).output == "[login]"
    program('echo "key $SMALL_KEY" >&2; exit 4')
    with pytest.raises(AgentFailure, match=r"exit status 4: key \[login\]") as caught:
        ask()
    assert caught.value.kind is ErrorKind.CRASH


def test_an_answer_counts_whatever_status_follows_and_an_error_in_it_is_one(program: Any, ask: Ask) -> None:
    program("""echo '{"type":"end","text":"done","tokens":5}'; exit 1""")
    assert b"done" in ask()
    program("""echo '{"type":"end","error":"slow down","tokens":5}'; exit 0""")
    with pytest.raises(AgentFailure) as caught:
        ask()
    assert (caught.value.kind, caught.value.retry_after_s) == (ErrorKind.RATE_LIMIT, 3)


def test_silence_with_status_0_and_a_stream_of_another_shape_are_no_answers(program: Any, ask: Ask) -> None:
    for code in ("true", """echo '{"type":"end"}'"""):
        program(code)
        with pytest.raises(AgentFailure) as caught:
            ask()
        assert caught.value.kind is ErrorKind.PROTOCOL


def test_the_time_limit_ends_the_whole_group(program: Any, ask: Ask, tmp_path: Path) -> None:
    program("(sleep 60; echo late) & sleep 60")
    with pytest.raises(AgentFailure) as caught:
        ask(timeout_s=1)
    assert caught.value.kind is ErrorKind.TIMEOUT


def test_a_question_alone_is_ended_as_soon_as_the_user_wants_everything_to_end(
    program: Any, agent: HostAgent, tmp_path: Path
) -> None:
    program("sleep 60")
    cancel = threading.Event()
    cancel.set()
    with (tmp_path / "answer").open("ab+", buffering=0) as answer, pytest.raises(AgentFailure) as caught:
        agent.complete(CompleteRequest("sha256:0", "hello", None, 5, cancel=cancel), answer)
    assert (caught.value.kind, "cancelled" in caught.value.message) == (ErrorKind.CRASH, True)


def test_no_exec_refuses_the_whole_task_and_allows_a_decision(program: Any, ask: Ask, agent: HostAgent) -> None:
    program("""echo '{"type":"end","text":"chosen","tokens":5}'""")
    with pytest.raises(AgentFailure, match="--no-exec") as caught:
        ask(allow_exec=False)
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert agent.parse(ask(allow_exec=False, profile="routing")).output == "chosen"


def test_a_missing_program_is_named_with_what_installs_it(agent: HostAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "relative:/nowhere")
    assert agent.unavailable() == "the program `small-host` is not on PATH: install it with `install small-host`"


def test_the_identity_holds_what_a_result_depends_on_and_nothing_at_its_default() -> None:
    plain = HostAgent(HOST, AgentSettings("a", None, None, Path("/")))
    assert plain.identity == {"plugin": "small", "cache_version": "1", "profiles": {"package": ["do"], "routing": ["look"]}}
    definition = AgentDefinition("small", env=("B", "A"), cache_version="7", deterministic=True, origin="simulated")
    declared = HostAgent(HOST, AgentSettings("a", definition, "m", Path("/")))
    added = {"declared_version": "7", "deterministic": True, "env": ["A", "B"], "model": "m"}
    assert declared.identity == plain.identity | added
    assert declared.traits.origin is EvidenceOrigin.SIMULATED
    assert plain.traits.origin is EvidenceOrigin.LIVE
    assert plain.traits.skills_folder == ".small/skills"


def test_argv_of_its_own_is_refused() -> None:
    with pytest.raises(InputError, match="no argv"):
        HostAgent(HOST, AgentSettings("a", AgentDefinition("small", argv=("x",)), None, Path("/")))


def test_lines_that_only_repeat_others_are_not_kept(program: Any, tmp_path: Path) -> None:
    program("""printf '{"type":"again"}\\n{"type":"end","text":"said","tokens":5}\\n{"type":"again"}\\n'""")
    agent = HostAgent(replace(HOST, repeated=b'{"type":"again"'), AgentSettings("small", None, None, Path("/")))
    path = tmp_path / "answer"
    with Staging() as stage, path.open("w+b", buffering=0) as answer:
        stage.place_all()
        agent.run(RunRequest("sha256:0", "hello", stage, (), None, 0, 20, 10), answer)
    assert agent.parse(path.read_bytes()).output == "said"
    kept = [line.partition(b",")[0] for line in path.read_bytes().splitlines()[1:]]
    assert kept == [b'{"type":"end"', b'{"version":"small 1.0"']


def test_the_status_a_program_ends_with_is_kept_unless_it_is_0(program: Any, ask: Ask) -> None:
    said = """printf '{"type":"end","text":"said","tokens":5}\\n'"""
    program(f"{said}; exit 53")
    assert b'"exit_status":53' in ask().splitlines()[-1]
    program(said)
    assert b"exit_status" not in ask()


def test_what_it_leaves_running_in_a_session_of_its_own_is_ended(program: Any, ask: Ask) -> None:
    program(
        """setsid sh -c 'echo $$ > "$HOME/left"; exec sleep 283' >/dev/null 2>&1 &
while ! [ -s "$HOME/left" ]; do sleep 0.05; done
printf '{"type":"end","text":"%s","tokens":5}\\n' "$(cat "$HOME/left")\""""
    )
    process = int(ask().splitlines()[1].partition(b'"text":"')[2].partition(b'"')[0])
    assert not Path(f"/proc/{process}").exists() or "Z" in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
