"""Running children: what comes back, what ends them, and that nothing of them is left."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from selftune_build.environment import child_environment
from selftune_build.limits import CHILD_STDERR_MAX_BYTES
from selftune_build.process import NotStarted, Outcome, run

MANY = 1 << 20


def run_python(folder: Path, code: str, *, stdin: bytes = b"", timeout_s: float = 20, cap: int = MANY) -> Outcome:
    return run(
        [sys.executable, "-S", "-c", code],
        cwd=folder,
        env=child_environment(folder, folder),
        stdin=stdin,
        timeout_s=timeout_s,
        output_cap=cap,
    )


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie that init has not collected yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def is_gone_soon(pid: int) -> bool:
    until = time.monotonic() + 3
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return not is_alive(pid)


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def test_output_error_and_status_come_back(tmp_path: Path) -> None:
    outcome = run_python(tmp_path, "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert outcome == Outcome(exit_status=3, stdout=b"out\n", stderr=b"err\n", ended="exit")


def test_a_child_killed_by_a_signal_reports_its_negative_number(tmp_path: Path) -> None:
    outcome = run_python(tmp_path, "import os; os.kill(os.getpid(), 9)")
    assert (outcome.exit_status, outcome.ended) == (-signal.SIGKILL, "exit")


def test_a_missing_program_is_said_to_be_missing(tmp_path: Path) -> None:
    outcome = run(["no-such-program-here"], cwd=tmp_path, env={"PATH": "/bin"}, timeout_s=5, output_cap=MANY)
    assert (outcome.exit_status, outcome.ended) == (None, "missing")
    assert b"no-such-program-here" in outcome.stderr


@pytest.mark.parametrize("argument", ["a\0b", "x" * (1 << 22)], ids=["null byte", "too long"])
def test_arguments_the_kernel_cannot_take_are_missing_not_an_exception(tmp_path: Path, argument: str) -> None:
    outcome = run(["/bin/echo", argument], cwd=tmp_path, env={}, timeout_s=5, output_cap=MANY)
    assert outcome.ended == "missing"


def test_a_file_that_is_not_executable_is_missing(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("text")
    outcome = run([str(tmp_path / "plain")], cwd=tmp_path, env={}, timeout_s=5, output_cap=MANY)
    assert outcome.ended == "missing"
    assert b"Permission" in outcome.stderr


def test_arguments_are_never_read_by_a_shell(tmp_path: Path) -> None:
    outcome = run(["/bin/echo", "$(id); `id` > x"], cwd=tmp_path, env={}, timeout_s=5, output_cap=MANY)
    assert outcome.stdout == b"$(id); `id` > x\n"
    assert list(tmp_path.iterdir()) == []


def test_large_input_and_output_at_once_do_not_block_each_other(tmp_path: Path) -> None:
    code = (
        "import sys\nwhile block := sys.stdin.buffer.read(1000):\n sys.stdout.buffer.write(block); sys.stderr.buffer.write(block)"
    )
    outcome = run_python(tmp_path, code, stdin=b"x" * MANY, cap=2 * MANY)
    assert (len(outcome.stdout), outcome.ended) == (MANY, "exit")
    assert len(outcome.stderr) == CHILD_STDERR_MAX_BYTES


def test_a_child_that_does_not_read_its_input_is_fine(tmp_path: Path) -> None:
    outcome = run_python(tmp_path, "import sys; sys.stdin.close(); print('done')", stdin=b"x" * MANY)
    assert (outcome.exit_status, outcome.stdout) == (0, b"done\n")


def test_without_input_a_child_reads_the_end_at_once(tmp_path: Path) -> None:
    assert run_python(tmp_path, "import sys; print(len(sys.stdin.read()))").stdout == b"0\n"


def test_the_time_limit_ends_a_child_and_keeps_what_it_wrote(tmp_path: Path) -> None:
    started = time.monotonic()
    outcome = run_python(tmp_path, "import time; print('first', flush=True); time.sleep(60)", timeout_s=0.5)
    assert (outcome.ended, outcome.stdout, outcome.exit_status) == ("timeout", b"first\n", -signal.SIGTERM)
    assert time.monotonic() - started < 3


def test_a_child_may_tidy_up_after_sigterm(tmp_path: Path) -> None:
    code = "import signal, sys, time\nsignal.signal(15, lambda *_: (print('tidy', flush=True), sys.exit(5)))\ntime.sleep(60)"
    outcome = run_python(tmp_path, code, timeout_s=0.5)
    assert (outcome.ended, outcome.stdout, outcome.exit_status) == ("timeout", b"tidy\n", 5)


def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    code = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('up', flush=True)\ntime.sleep(60)"
    started = time.monotonic()
    outcome = run_python(tmp_path, code, timeout_s=0.5)
    assert (outcome.ended, outcome.exit_status) == ("timeout", -signal.SIGKILL)
    assert time.monotonic() - started < 4


SPAWN = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-S", "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"]{})
print(child.pid, flush=True)
"""


def test_grandchildren_left_behind_after_a_normal_exit_are_killed(tmp_path: Path) -> None:
    started = time.monotonic()
    outcome = run_python(tmp_path, SPAWN.format(""))
    assert (outcome.exit_status, outcome.ended) == (0, "exit")
    assert is_gone_soon(int(outcome.stdout))
    assert time.monotonic() - started < 5


def test_grandchildren_die_with_their_parent_at_the_limit(tmp_path: Path) -> None:
    outcome = run_python(tmp_path, SPAWN.format("") + "\nimport time; time.sleep(60)", timeout_s=0.7)
    assert outcome.ended == "timeout"
    assert is_gone_soon(int(outcome.stdout))


def test_a_grandchild_that_left_the_group_does_not_hold_us_up(tmp_path: Path) -> None:
    started = time.monotonic()
    outcome = run_python(tmp_path, SPAWN.format(", start_new_session=True"))
    pid = int(outcome.stdout)
    try:
        assert outcome.ended == "exit"
        assert time.monotonic() - started < 3
    finally:
        os.kill(pid, signal.SIGKILL)


def test_an_endless_output_is_cut_and_its_writer_ended(tmp_path: Path) -> None:
    outcome = run_python(tmp_path, "import os\nwhile True: os.write(1, b'x' * 65536)", cap=100_000)
    assert (outcome.ended, len(outcome.stdout)) == ("flood", 100_000)


def test_output_of_exactly_the_cap_is_no_flood(tmp_path: Path) -> None:
    outcome = run_python(tmp_path, "print('x' * 999)", cap=1000)
    assert (outcome.ended, len(outcome.stdout)) == ("exit", 1000)


def test_one_byte_more_than_the_cap_is_a_flood_even_after_the_exit(tmp_path: Path) -> None:
    assert run_python(tmp_path, "print('x' * 1000)", cap=1000).ended == "flood"


def test_an_endless_stderr_ends_at_the_time_limit_without_filling_memory(tmp_path: Path) -> None:
    outcome = run_python(tmp_path, "import os\nwhile True: os.write(2, b'x' * 65536)", timeout_s=0.4)
    assert (outcome.ended, len(outcome.stderr)) == ("timeout", CHILD_STDERR_MAX_BYTES)


def test_with_a_file_the_child_writes_behind_what_is_there(tmp_path: Path) -> None:
    with (tmp_path / "file").open("ab", buffering=0) as file:
        file.write(b"intent\n")
        argv = [sys.executable, "-S", "-c", "print('answer')"]
        outcome = run(argv, cwd=tmp_path, env={}, stdout=file, timeout_s=20, output_cap=MANY)
    assert outcome == Outcome(exit_status=0, stdout=b"", stderr=b"", ended="exit")
    assert (tmp_path / "file").read_bytes() == b"intent\nanswer\n"


def test_a_flood_into_a_file_is_seen_and_cut_back_to_the_cap(tmp_path: Path) -> None:
    with (tmp_path / "file").open("a+b", buffering=0) as file:
        file.write(b"intent\n")
        argv = [sys.executable, "-S", "-c", "import os\nwhile True: os.write(1, b'x' * 4096)"]
        outcome = run(argv, cwd=tmp_path, env={}, stdout=file, timeout_s=20, output_cap=50_000)
    assert outcome.ended == "flood"
    assert (tmp_path / "file").read_bytes() == b"intent\n" + b"x" * 50_000


def test_cancelling_ends_the_child_soon(tmp_path: Path) -> None:
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    started = time.monotonic()
    argv = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
    outcome = run(argv, cwd=tmp_path, env={}, timeout_s=50, output_cap=MANY, cancel=cancel)
    assert outcome.ended == "cancelled"
    assert time.monotonic() - started < 3


def test_one_cancellation_ends_the_children_of_every_thread(tmp_path: Path) -> None:
    cancel = threading.Event()
    outcomes: list[Outcome] = []
    argv = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
    work = [
        threading.Thread(
            target=lambda: outcomes.append(run(argv, cwd=tmp_path, env={}, timeout_s=50, output_cap=MANY, cancel=cancel))
        )
        for _ in range(3)
    ]
    for thread in work:
        thread.start()
    time.sleep(0.2)
    cancel.set()
    for thread in work:
        thread.join()
    assert [outcome.ended for outcome in outcomes] == ["cancelled"] * 3


def test_an_interrupt_while_waiting_ends_the_child(tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.4)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_python(tmp_path, "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert is_gone_soon(int((tmp_path / "pid").read_text()))


def test_descriptors_can_be_passed_and_others_are_not(tmp_path: Path) -> None:
    passed, kept = os.open(tmp_path, os.O_RDONLY), os.open(tmp_path, os.O_RDONLY)
    try:
        code = f"import os\nos.fstat({passed})\ntry: os.fstat({kept})\nexcept OSError: print('closed')"
        argv = [sys.executable, "-S", "-c", code]
        outcome = run(argv, cwd=tmp_path, env={}, timeout_s=20, output_cap=MANY, pass_fds=(passed,))
        assert (outcome.stdout, outcome.stderr) == (b"closed\n", b"")
    finally:
        os.close(passed)
        os.close(kept)


def test_neither_descriptors_nor_zombies_nor_threads_are_left(tmp_path: Path) -> None:
    before = open_descriptors(), threading.active_count()
    run_python(tmp_path, "print(1)", stdin=b"x")
    run_python(tmp_path, "import time; time.sleep(9)", timeout_s=0.1)
    run(["no-such-program-here"], cwd=tmp_path, env={}, stdin=b"x", timeout_s=5, output_cap=MANY)
    assert (open_descriptors(), threading.active_count()) == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_without_the_kernels_exit_notice_a_thread_waits_and_all_else_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    outcome = run_python(tmp_path, SPAWN.format(""))
    assert (outcome.exit_status, outcome.ended) == (0, "exit")
    assert is_gone_soon(int(outcome.stdout))
    assert run_python(tmp_path, "import time; time.sleep(60)", timeout_s=0.2).ended == "timeout"


def test_a_trivial_child_costs_only_milliseconds(tmp_path: Path) -> None:
    seconds = []
    for _ in range(20):
        started = time.monotonic()
        run(["/bin/true"], cwd=tmp_path, env={}, timeout_s=5, output_cap=MANY, cancel=threading.Event())
        seconds.append(time.monotonic() - started)
    assert min(seconds) < 0.02


def test_the_environment_is_an_allow_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SECRET": "s", "HOUSE_KEY": "k", "LC_ALL": "C", "PATH": "/bin", "HOME": "/home/me"}.items():
        monkeypatch.setenv(name, value)
    environment = child_environment(tmp_path / "home", tmp_path / "tmp", ["HOUSE_KEY", "NOT_SET", "HOME"])
    assert "SECRET" not in environment
    assert "NOT_SET" not in environment
    assert environment["HOUSE_KEY"] == "k"
    assert environment["LC_ALL"] == "C"
    assert environment["HOME"] == str(tmp_path / "home")
    assert environment["TMPDIR"] == environment["TMP"] == environment["TEMP"] == str(tmp_path / "tmp")
    assert environment["PYTHONDONTWRITEBYTECODE"] == "1"


def test_with_a_file_an_endless_stderr_keeps_its_end_and_fills_neither_memory_nor_disk(tmp_path: Path) -> None:
    code = "import os, sys\nwhile True: os.write(2, b'x' * 65535 + b'\\n')"
    with (tmp_path / "file").open("ab", buffering=0) as file:
        argv = [sys.executable, "-S", "-c", code]
        outcome = run(argv, cwd=tmp_path, env={}, stdout=file, timeout_s=0.5, output_cap=MANY)
    assert (outcome.ended, len(outcome.stderr)) == ("timeout", CHILD_STDERR_MAX_BYTES)
    assert b"\0" not in outcome.stderr


def test_a_child_that_outlives_us_can_go_on_writing_to_stderr(tmp_path: Path) -> None:
    child = "import os, sys, time\nprint('up', file=sys.stderr, flush=True); open('up', 'w').close(); time.sleep(0.5)\n"
    child += "print('still here', file=sys.stderr, flush=True); print('answer', flush=True)"
    parent = (
        "import sys\nfrom selftune_build.process import run\n"
        f"with open('file', 'ab', buffering=0) as file:\n run([sys.executable, '-S', '-c', {child!r}], cwd='.', env={{}},"
        " stdout=file, timeout_s=50, output_cap=100)"
    )
    asking = subprocess.Popen(
        [sys.executable, "-c", parent], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    )
    until = time.monotonic() + 20
    while not (tmp_path / "up").exists() and time.monotonic() < until:
        time.sleep(0.01)
    asking.kill()
    asking.wait()
    while (tmp_path / "file").read_bytes() != b"answer\n" and time.monotonic() < until:
        time.sleep(0.01)
    assert (tmp_path / "file").read_bytes() == b"answer\n"


def test_where_no_file_can_be_opened_nothing_is_started_and_the_error_says_what_helps(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = len(open_descriptors())
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken, before[1]))
    try:
        with pytest.raises(NotStarted) as caught:
            run(["/bin/touch", str(tmp_path / "ran")], cwd=tmp_path, env={}, timeout_s=5, output_cap=MANY)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert "/bin/touch" in caught.value.message
    assert "ulimit -n" in str(caught.value.hint)
    assert not (tmp_path / "ran").exists()
