"""Ctrl-C and its relatives, on the real program: what is running is kept, what is told to end is gone, the lock is written."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from selftune_build.cli.signals import interruptible
from selftune_build.store.samples import SampleStore
from tests.fault.workspace import PATIENCE_S, Workspace, all_gone, ended, until, without_privilege

FIRST = "interrupted: what is running is finished and kept; once more ends it now"
SLEEPING_SCRIPT = "import os, time\nopen('mark', 'w').write(str(os.getpid()))\ntime.sleep(300)\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace(tmp_path)
    yield workspace
    workspace.go()
    all_gone(workspace.children())


def heard(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    while words not in (line := process.stderr.readline()):
        assert line, f"it never said {words!r}"


def paused(workspace: Workspace, agents: int, *arguments: str, point: str = "begun", **options: Any) -> subprocess.Popen[str]:
    """A build in which so many agents wait at a point."""
    workspace.behave({"mode": "pausing", "point": point})
    process = workspace.start("-j", str(agents), *arguments, **options)
    until(lambda: workspace.waiting_agents() == agents)
    return process


def test_the_first_interrupt_finishes_and_keeps_what_is_running_and_starts_nothing_new(workspace: Workspace) -> None:
    process = paused(workspace, 2)
    process.send_signal(signal.SIGINT)
    heard(process, FIRST)
    workspace.go()
    assert ended(process).status == 130
    assert len(workspace.ledger()) == 2
    assert {arm["n"] for arms in workspace.rows().values() for arm in arms.values()} == {1}
    assert sum(len(arms) for arms in workspace.rows().values()) == 2
    assert (workspace.left_over(), workspace.in_flight()) == ([], [])
    workspace.behave()
    assert workspace.report()["spend"]["agent_calls"] == workspace.needed - 2
    assert set(workspace.calls().values()) == {1}


def test_an_interrupt_is_what_is_reported_although_the_store_breaks_while_the_rest_is_finished(workspace: Workspace) -> None:
    process = paused(workspace, 1, preexec_fn=without_privilege)
    process.send_signal(signal.SIGINT)
    heard(process, FIRST)
    (call,) = workspace.in_flight()
    call.parent.chmod(0o555)
    workspace.go()
    interrupted = ended(process)
    call.parent.chmod(0o755)
    assert "Permission denied" in interrupted.said
    assert interrupted.status == 130
    workspace.behave()
    assert workspace.report()["spend"]["agent_calls"] == workspace.needed - 1


def test_a_store_that_breaks_by_itself_is_no_interrupt(workspace: Workspace) -> None:
    process = paused(workspace, 1, preexec_fn=without_privilege)
    (call,) = workspace.in_flight()
    call.parent.chmod(0o555)
    workspace.go()
    assert ended(process).status == 4
    call.parent.chmod(0o755)


def test_the_second_interrupt_ends_everything_at_once(workspace: Workspace) -> None:
    process = paused(workspace, 2)
    process.send_signal(signal.SIGINT)
    heard(process, FIRST)
    process.send_signal(signal.SIGINT)
    assert ended(process).status == 130
    assert all_gone(workspace.children())
    assert (workspace.left_over(), workspace.in_flight()) == ([], [])
    assert json.loads(workspace.lock())["agents"]["house"]["cases"] == {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_being_told_to_end_is_the_second_interrupt_at_once(workspace: Workspace, number: signal.Signals) -> None:
    process = paused(workspace, 2)
    process.send_signal(number)
    assert ended(process).status == 130
    assert all_gone(workspace.children())
    assert (workspace.left_over(), workspace.in_flight()) == ([], [])
    assert workspace.rows() == {}


def test_a_whole_answer_is_kept_although_its_agent_is_ended(workspace: Workspace) -> None:
    process = paused(workspace, 1, point="whole")
    process.send_signal(signal.SIGTERM)
    assert ended(process).status == 130
    workspace.go()
    workspace.behave()
    assert workspace.report()["spend"]["agent_calls"] == workspace.needed - 1
    assert set(workspace.calls().values()) == {1}


def test_the_report_of_an_interrupted_run_is_whole_and_says_what_it_spent(workspace: Workspace) -> None:
    process = paused(workspace, 2, "--json")
    process.send_signal(signal.SIGTERM)
    document = json.loads(ended(process).stdout)
    assert (document["exit_code"], document["ok"], document["spend"]["agent_calls"]) == (130, False, 2)
    assert {stage["state"] for stage in document["packages"][0]["stages"]} >= {"skipped"}


def test_an_interrupt_ends_the_wait_before_a_retry(workspace: Workspace) -> None:
    workspace.behave({"mode": "crash"})
    process = workspace.start("-j", "1")
    until(workspace.ledger)
    process.send_signal(signal.SIGINT)
    assert ended(process).status == 130
    assert len(workspace.ledger()) <= 2


def test_an_interrupt_ends_the_wait_for_another_process(workspace: Workspace) -> None:
    first = paused(workspace, 1)
    second = workspace.start("-j", "1")
    heard(second, "is working on the same samples")
    second.send_signal(signal.SIGINT)
    assert ended(second).status == 130
    assert first.poll() is None
    workspace.go()
    ended(first)
    assert set(workspace.calls().values()) == {1}


def test_an_interrupt_ends_the_wait_for_an_agent_of_a_killed_process(workspace: Workspace) -> None:
    first = paused(workspace, 1)
    first.kill()
    first.communicate()
    second = workspace.start("-j", "1")
    heard(second, "an agent started earlier is still answering")
    second.send_signal(signal.SIGINT)
    assert ended(second).status == 130
    workspace.go()
    workspace.build()
    assert set(workspace.calls().values()) == {1}


def with_sleeping_script(workspace: Workspace) -> None:
    (workspace.root / "tests").mkdir()
    (workspace.root / "tests/scripts.yaml").write_text(
        "format: selftune.unit-tests/1\ncases:\n  - {id: slow, run: [python3, scripts/slow.py], checks: [{exit: 0}]}\n"
    )
    (workspace.root / "scripts").mkdir()
    (workspace.root / "scripts/slow.py").write_text(SLEEPING_SCRIPT)


def test_the_second_interrupt_ends_a_script_case(workspace: Workspace) -> None:
    with_sleeping_script(workspace)
    process = workspace.start("unit-tests")
    mark = found(workspace, "selftune-*/root/mark")
    process.send_signal(signal.SIGINT)
    heard(process, FIRST)
    process.send_signal(signal.SIGINT)
    assert ended(process).status == 130
    assert all_gone([mark])
    assert (workspace.left_over(), workspace.in_flight()) == ([], [])


def found(workspace: Workspace, pattern: str) -> int:
    """The pid that a script has written into its mark."""
    until(lambda: any(path.stat().st_size for path in workspace.temporary.glob(pattern)))
    return int(next(workspace.temporary.glob(pattern)).read_text())


def test_an_ignored_hang_up_stays_ignored(workspace: Workspace) -> None:
    process = paused(workspace, 1, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.send_signal(signal.SIGHUP)
    workspace.go()
    assert ended(process).status == 3
    assert set(workspace.calls().values()) == {1}
    assert len(workspace.calls()) == workspace.needed


def test_the_handlers_of_before_come_back() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    stop, cancel, said = threading.Event(), threading.Event(), list[str]()
    with interruptible(stop, cancel, said.append):
        os.kill(os.getpid(), signal.SIGINT)
        assert (stop.is_set(), cancel.is_set(), said) == (True, False, [FIRST])
        os.kill(os.getpid(), signal.SIGINT)
        assert (cancel.is_set(), len(said)) == (True, 1)
    assert [signal.getsignal(number) for number in numbers] == before


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.screen = b""
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            with contextlib.suppress(OSError):
                os.execve(command[0], command, environment)
            os._exit(127)

    def shows(self, words: bytes) -> None:
        """Read the screen until it shows this."""
        last = time.monotonic() + PATIENCE_S
        while words not in self.screen:
            assert time.monotonic() < last, self.screen
            self.read()

    def read(self) -> bool:
        if not select.select([self.descriptor], [], [], 0.1)[0]:
            return True
        try:
            content = os.read(self.descriptor, 65536)
        except OSError:
            return False
        self.screen += content
        return bool(content)

    def type(self, keys: bytes) -> None:
        os.write(self.descriptor, keys)

    def press_until_ended(self, keys: bytes) -> int:
        """Type the keys every second until the program ends: one that falls between a question and its reading is lost."""
        last = time.monotonic() + PATIENCE_S
        while time.monotonic() < last:
            with contextlib.suppress(OSError):
                self.type(keys)
            pause = time.monotonic() + 1
            while time.monotonic() < pause:
                if not self.read():
                    return self.ended()
        raise AssertionError(self.screen)

    def ended(self) -> int:
        """Its exit status, the whole screen read."""
        while self.read():
            pass
        os.close(self.descriptor)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def on_terminal(workspace: Workspace) -> Callable[..., Terminal]:
    def start(*arguments: str) -> Terminal:
        command = [word for word in workspace.command(*arguments) if word != "-y"]
        return Terminal(command, workspace.environment(TERM="xterm"))

    return start


def test_ctrl_c_on_a_terminal_removes_the_live_line(workspace: Workspace, on_terminal: Callable[..., Terminal]) -> None:
    workspace.behave({"prompt": "red", "mode": "pausing", "point": "begun"})
    terminal = on_terminal("-j", "1", "replay")
    terminal.shows(b"[1/6] gardening:replay[cabbage] answered")
    until(lambda: workspace.waiting_agents() == 1)
    terminal.type(b"\x03")
    terminal.shows(FIRST.encode())
    terminal.type(b"\x03")
    assert terminal.ended() == 130
    before, _, after = terminal.screen.partition(FIRST.encode())
    assert before.endswith(b"\r\x1b[2K")
    # The report begins on a line that was wiped clean.
    assert after.rpartition(b"\x1b[2K")[2].startswith((b"gardening: ", b"\r\n"))
    assert b"?25l" not in terminal.screen
    assert all_gone(workspace.children())


def test_ctrl_c_at_the_question_runs_nothing(workspace: Workspace, on_terminal: Callable[..., Terminal]) -> None:
    cases = "".join(f"  - {{id: c{number}, prompt: ask {number}, should_trigger: true}}\n" for number in range(30))
    (workspace.root / "evals/cases.yaml").write_text(f"format: selftune.evals/1\ncases:\n{cases}")
    terminal = on_terminal()
    terminal.shows(b"Go on?")
    assert terminal.press_until_ended(b"\x03") == 130
    assert workspace.ledger() == []
    assert b"Traceback" not in terminal.screen


def test_an_interrupt_before_anything_runs_is_calm(tmp_path: Path) -> None:
    code = "import os, signal, sys\nimport selftune_build.engine.load as load\n"
    code += "load.load_universe = lambda folder, **rest: os.kill(os.getpid(), signal.SIGINT)\n"
    code += f"from selftune_build.__main__ import main\nsys.exit(main(['build', '-C', {str(tmp_path)!r}]))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "\ninterrupted\n")


def test_a_claim_is_not_waited_for_longer_than_one_wants(workspace: Workspace) -> None:
    """Eight rows, all claimed by somebody else: one interrupt ends the wait for each of them."""
    workspace.build()
    keys = [path.parent.name for path in workspace.store.glob("samples/*/*/key.json")]
    store = SampleStore(workspace.store)
    with contextlib.ExitStack() as claims:
        for key in keys:
            claims.enter_context(store.claim(f"sha256:{key}", b"{}"))
        process = workspace.start("-j", "4", "--resample", "1")
        heard(process, "is working on the same samples")
        process.send_signal(signal.SIGINT)
        assert ended(process).status == 130
    assert len(workspace.ledger()) == workspace.needed
