"""A script of a skill: what it gets, what it cannot reach, and that it ends with its sample. Real processes, the real kernel."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from selftune_agent_openai import sandbox, scripts
from selftune_agent_openai.agent import OPENAI
from selftune_agent_openai.scripts import Ran, Surroundings, run

from selftune_build.agents.hosts import confine
from selftune_build.agents.protocol import AgentFailure, AgentSettings, RunRequest, StagedSkill
from selftune_build.agents.staging import SkillSource, Staging
from selftune_build.environment import child_environment
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.model.manifest import AgentDefinition
from selftune_build.model.package import TreeFile
from selftune_build.process import run as run_process
from selftune_build.testing.model_server import Call, ModelServer

REACH = """\
import socket, sys
with socket.socket(socket.AF_INET, socket.{kind}) as channel:
    try:
        channel.connect(("127.0.0.1", int(sys.argv[1])))
        channel.send(b"hello")
        print("reached")
    except OSError as error:
        print(error.strerror)
"""
Script = Callable[..., Ran | None]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Write a script into a workspace and run it there."""
    (tmp_path / "workspace").mkdir()
    (tmp_path / "home" / "tmp").mkdir(parents=True)

    def script(text: str, *arguments: str, name: str = "run.py", mode: int = 0o644, confined: bool = True) -> Ran | None:
        path = tmp_path / "workspace" / name
        path.write_text(text)
        path.chmod(mode)
        return run(path, arguments, Surroundings(tmp_path / "workspace", tmp_path / "home", (), confined))

    return script


def text(ran: Ran | None) -> str:
    assert ran is not None
    return ran.text


def test_it_starts_in_the_workspace_and_tells_status_and_streams(script: Script, tmp_path: Path) -> None:
    ran = script("import os, sys\nprint(os.getcwd(), sys.argv[1:])\nprint('oh', file=sys.stderr)\nsys.exit(3)", "a b", "*")
    assert text(ran) == f"exit status 3\nstdout:\n{tmp_path / 'workspace'} ['a b', '*']\nstderr:\noh"
    assert text(script("kill -9 $$", name="end.sh")) == "exit status 137"
    assert text(script("x = 1")) == "exit status 0"


def test_what_is_run_is_told_by_the_suffix_or_the_executable_bit(script: Script) -> None:
    assert text(script("#!/bin/sh\necho by bit", name="tool", mode=0o755)) == "exit status 0\nstdout:\nby bit"
    assert script("echo no", name="notes.md") is None
    assert "Exec format error" in text(script("\0", name="broken", mode=0o755))


def test_an_interpreter_that_is_not_installed_says_nothing_about_the_skill(
    script: Script, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(scripts.Missing, match="`node`"):
        script("1", name="run.js")


def test_what_it_prints_and_how_long_it_runs_is_bounded(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    long = text(script("print('x' * 100_000)"))
    assert "the first 32768 of 100000 characters" in long
    assert len(long) < 40_000
    monkeypatch.setattr(scripts, "OUTPUT_BYTES", 1000)
    assert "printed more than 1000 bytes" in text(script("while True: print('x' * 1000)"))
    monkeypatch.setattr(scripts, "SECONDS", 1)
    assert "did not end within 1 seconds" in text(script("import time; time.sleep(600)"))


def test_it_writes_nowhere_but_in_workspace_and_home(script: Script, tmp_path: Path) -> None:
    ran = script(f"open({str(tmp_path / 'evil')!r}, 'w')")
    assert "Permission denied" in text(ran)
    assert not (tmp_path / "evil").exists()
    assert text(script("import os\nopen('a', 'w'); open(os.environ['HOME'] + '/a', 'w')")) == "exit status 0"
    assert (tmp_path / "workspace" / "a").exists()
    assert (tmp_path / "home" / "a").exists()


@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM"])
def test_what_it_could_reach_is_told_as_it_is(script: Script, kind: str) -> None:
    """Which of the three it is depends on the kernel; that the word is true does not."""
    with ModelServer(lambda conversation: Call("x")) as server:
        ran = script(REACH.format(kind=kind), server.url.rpartition(":")[2])
        reached = "reached" in text(ran)
        assert ran is not None
        assert reached == (ran.network in ({"udp", "all"} if kind == "SOCK_DGRAM" else {"all"}))


def test_landlock_alone_keeps_it_from_tcp(tmp_path: Path) -> None:
    """Where the kernel makes no namespaces."""
    code = f"import runpy; runpy.run_path({confine.__file__!r})['confine'](['/tmp'], True)\n"
    with ModelServer(lambda conversation: Call("x")) as server:
        port = server.url.rpartition(":")[2]
        argv = [sys.executable, "-I", "-S", "-c", code + REACH.format(kind="SOCK_STREAM"), port]
        outcome = run_process(argv, cwd=tmp_path, env=child_environment(tmp_path, tmp_path), timeout_s=60, output_cap=1000)
    expected = "Permission denied" if confine.offline_supported() else "reached"
    assert outcome.stdout.decode().strip() == expected, outcome.stderr


@pytest.mark.parametrize("namespaces", [True, False])
def test_it_looks_into_no_process_whatever_keeps_it_in(tmp_path: Path, namespaces: bool) -> None:
    """Also where the kernel makes no namespaces, and whoever runs it is root."""
    without = "" if namespaces else "main.__globals__['_leave'] = lambda: False\n"
    start = f"import runpy, sys\nmain = runpy.run_path({sandbox.__file__!r})['main']\n{without}sys.exit(main(sys.argv[1:]))"
    look = "try:\n    print(open(sys.argv[1]).read())\nexcept OSError as error:\n    print(error.strerror)\n"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0}
    with subprocess.Popen(["cat"], env={**os.environ, "MARKED": "a-secret"}, **pipes) as other:
        other.stdin.write(b"there\n")
        assert other.stdout.readline() == b"there\n"
        place = f"/proc/{other.pid}/environ"
        assert "a-secret" in Path(place).read_text()
        argv = [sys.executable, "-c", start, confine.__file__, "2", str(tmp_path), "--"]
        outcome = run_process(
            [*argv, sys.executable, "-c", f"import sys\n{look}", place],
            cwd=tmp_path,
            env=child_environment(tmp_path, tmp_path),
            timeout_s=60,
            output_cap=100_000,
        )
    assert outcome.stdout.decode().strip() == "Permission denied", outcome.stderr


def test_where_the_machine_is_a_sandbox_it_may_write_anywhere(script: Script, tmp_path: Path) -> None:
    assert text(script(f"open({str(tmp_path / 'fine')!r}, 'w')", confined=False)) == "exit status 0"
    assert (tmp_path / "fine").exists()


def test_it_ends_with_its_sample_whatever_it_does_to_signals(script: Script, tmp_path: Path) -> None:
    """A lock that its child holds is free once that is gone; where there are namespaces also a child that left its group."""
    alone = script("1")
    held = tmp_path / "held"
    held.touch()
    code = (
        "import fcntl, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"file = open({str(held)!r})\n"
        "fcntl.flock(file, fcntl.LOCK_EX)\n"
        f"keep = {{'pass_fds': [file.fileno()], 'start_new_session': {alone is not None and alone.network == 'none'}}}\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], **keep)\n"
        "file.close()\n"
        "time.sleep(600)\n"
    )
    cancel = threading.Event()

    def cancel_when_held() -> None:
        with held.open() as file:
            wait(lambda: is_held(file.fileno()))
        cancel.set()

    watching = threading.Thread(target=cancel_when_held)
    watching.start()
    with pytest.raises(AgentFailure) as caught:
        asked(tmp_path, code, cancel=cancel)
    watching.join()
    assert caught.value.message == "cancelled before it answered"
    with held.open() as file:
        assert wait(lambda: not is_held(file.fileno()))


def asked(folder: Path, code: str, cancel: threading.Event | None = None) -> bytes:
    """The raw answer of an agent whose model runs this script of a skill and says no more."""
    package = folder / "pdf"
    (package / "scripts").mkdir(parents=True)
    files = {"SKILL.md": "---\nname: pdf\ndescription: d\n---\n", "scripts/run.py": code}
    for path, content in files.items():
        (package / path).write_text(content)
    staged = tuple(TreeFile(path, digest_bytes(text.encode()), len(text.encode())) for path, text in files.items())
    call = Call("run_script", {"path": ".agents/skills/pdf/scripts/run.py"})
    with ModelServer(lambda conversation: call) as server, Staging((), {"pdf": SkillSource("pdf", package, staged)}) as stage:
        definition = AgentDefinition(type="openai", options={"base_url": f"{server.url}/v1"})
        agent = OPENAI.make(AgentSettings("local", definition, "m", folder))
        request = RunRequest("sha256:0", "p", stage, (StagedSkill("pdf", "d"),), "m", 0, 300, 1, cancel=cancel)
        with (folder / "answer").open("w+b", buffering=0) as answer:
            agent.run(request, answer)
    return (folder / "answer").read_bytes()


def wait(until: Callable[[], bool]) -> bool:
    """Whether it comes true, for as long as anybody would wait."""
    end = time.monotonic() + 120
    while not (found := until()) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def is_held(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False
