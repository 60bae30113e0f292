"""Runs `selftune` again and again, with a fault at its n-th change of a file: one request a line in, one answer a line out.

Everything is imported once; each run is a fork of that, or with `"fresh"` an interpreter of its own. The fault is put between the
program and the kernel (`syscalls.py`). Only what selftune itself does below `folder` is counted, not what its agents do.

Faults: `KILL` before the change; `TEAR`, a kill after half of a write; `SHORT`, a write that stops halfway, then a full disk; an
errno by name. With `sticky` every later change fails too. With `reads`, reads and no changes are counted. With `trace` all
changes, also those of agents, are listed in the order in which they happened.
"""

from __future__ import annotations

import base64
import datetime
import errno
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from syscalls import Listener, Notice, adopt_orphans, watch

PATIENCE_MS = 120_000
ALSO = ("networkx", "fsspec.implementations.local", "securesystemslib.signer", "cryptography.hazmat.primitives.serialization")


class Fault:
    """Counts what concerns it and strikes at the n-th, or from it on."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.name, self.number = request.get("fault", ""), request.get("number", 0)
        self.sticky = request.get("sticky", False) or self.name == "SHORT"
        self.reads = request.get("reads", False)
        self.folder = os.path.realpath(request["folder"]) + "/"
        self.seen, self.struck = 0, ""

    def concerns(self, notice: Notice) -> bool:
        return notice.changes != self.reads and any(path.startswith(self.folder) for path in notice.paths)

    def answer(self, notice: Notice, listener: Listener, process: int) -> None:
        """Let it pass, or strike."""
        if not self.name or not self.concerns(notice) or notice.process != process:
            listener.go_on(notice)
            return
        self.seen += 1
        if not self.number or self.seen < self.number or (self.seen > self.number and not self.sticky):
            listener.go_on(notice)
            return
        first = not self.struck
        self.struck = self.struck or f"{notice.name} {' '.join(notice.paths)}"
        self._strike(notice, listener, process, first)

    def _strike(self, notice: Notice, listener: Listener, process: int, first: bool) -> None:
        half = 0
        if first and self.name in ("TEAR", "SHORT") and notice.name in ("write", "pwrite64"):
            half = notice.write_half()
        if self.name in ("KILL", "TEAR"):
            os.kill(process, signal.SIGKILL)
        elif half:
            listener.pretend(notice, half)
        else:
            listener.refuse(notice, getattr(errno, {"SHORT": "ENOSPC"}.get(self.name, self.name)))


def serve(request: dict[str, Any]) -> dict[str, Any]:
    """One run, its agents included."""
    ours, theirs = socket.socketpair()
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        process = os.fork()
        if process == 0:
            ours.close()
            _be_the_program(request, theirs, stdout.fileno(), stderr.fileno())
        theirs.close()
        fault, trace = Fault(request), []
        _, descriptors, *_ = socket.recv_fds(ours, 1, 1)
        with ours, os.fdopen(descriptors[0], "rb", buffering=0, closefd=True):
            status = _watch(process, Listener(descriptors[0]), fault, trace if request.get("trace") else None)
        texts = [_whole(each) for each in (stdout, stderr)]
    return {"status": status, "stdout": texts[0], "stderr": texts[1], "seen": fault.seen, "struck": fault.struck, "trace": trace}


def _whole(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode(errors="replace"))


def _watch(process: int, listener: Listener, fault: Fault, trace: list[Any] | None) -> int | None:
    """Answer until the program and all that it left behind have ended; how the program ended."""
    poll, status = select.poll(), None
    poll.register(listener.descriptor, select.POLLIN)
    last = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < last:
        for _, event in poll.poll(2 if status is None else 5):
            if event & select.POLLIN and (notice := listener.receive()) is not None:
                if trace is not None and notice.changes:
                    trace.extend({**step, "own": notice.process == process} for step in _traced(notice, fault.folder))
                fault.answer(notice, listener, process)
            elif event & select.POLLHUP and status is not None:
                return status
        status = _reaped(process, status)
    os.kill(process, signal.SIGKILL)
    return None


def _reaped(process: int, status: int | None) -> int | None:
    try:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == process:
                status = os.waitstatus_to_exitcode(ended[1])
    except ChildProcessError:
        pass
    return status


def _traced(notice: Notice, folder: str) -> list[dict[str, Any]]:
    """What the model of a disk has to know of a change."""
    if not any(f"{path}/".startswith(folder) for path in notice.paths):
        return []
    step: dict[str, Any] = {"name": notice.name, "paths": notice.paths}
    if notice.name in ("write", "pwrite64", "writev"):
        step["content"] = base64.b64encode(notice.content()).decode()
        step["offset"] = notice.offset()
    elif notice.name in ("ftruncate", "truncate"):
        step["size"] = notice.arguments[1]
    elif notice.name in ("open", "openat"):
        step["flags"] = notice.arguments[1 if notice.name == "open" else 2]
    elif notice.name == "renameat2":
        step["flags"] = notice.arguments[4]
    return [step]


def _be_the_program(request: dict[str, Any], channel: socket.socket, stdout: int, stderr: int) -> None:
    """Never returns."""
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["cwd"])
        signal.signal(signal.SIGINT, signal.default_int_handler)
        argv = ["selftune", *request["arguments"]]
        run: Callable[[], int] = lambda: _forked(argv, request.get("clock_s", 0))  # noqa: E731
        listener = watch(request.get("reads", False))
        socket.send_fds(channel, [b"x"], [listener])
        os.close(listener)
        channel.close()
        if request.get("fresh"):
            os.execve(sys.executable, [sys.executable, "-m", "selftune_build", *argv[1:]], dict(os.environ))
        os._exit(run())
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
        os._exit(99)


def _forked(argv: list[str], clock_s: float) -> int:
    from selftune_build.__main__ import main

    sys.argv = argv
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode) for number, mode in enumerate("rww"))
    tempfile.tempdir = None
    if clock_s:
        _shift_the_clock(clock_s)
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def _shift_the_clock(seconds: float) -> None:
    """What this program takes for now; the file system keeps its own time."""
    now, now_ns = time.time, time.time_ns
    time.time, time.time_ns = (lambda: now() + seconds), (lambda: now_ns() + int(seconds * 10**9))

    class Shifted(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return datetime.datetime.fromtimestamp(time.time(), tz)

    for name, module in list(sys.modules.items()):
        if name.startswith("selftune_build.") and getattr(module, "datetime", None) is datetime.datetime:
            module.datetime = Shifted  # type: ignore[attr-defined]


def _import_everything() -> None:
    import selftune_build

    for found in pkgutil.walk_packages(selftune_build.__path__, "selftune_build."):
        if not found.name.endswith("__main__"):
            try:
                importlib.import_module(found.name)
            except ImportError:
                continue  # of an extra that is not installed
    for name in ALSO:
        importlib.import_module(name)


def main() -> None:
    del sys.path[0]
    adopt_orphans()
    _import_everything()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(serve(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
