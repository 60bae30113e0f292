"""The one place that starts child processes: bounded in time and output, killed as a group, never leaked."""

from __future__ import annotations

import errno
import fcntl
import os
import selectors
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, Literal

from msgspec import Struct

from selftune_build.errors import StoreError
from selftune_build.limits import (
    CHILD_KILL_GRACE_S,
    CHILD_PIPE_CHUNK_BYTES,
    CHILD_STDERR_FILE_BYTES,
    CHILD_STDERR_MAX_BYTES,
    CHILD_WATCH_INTERVAL_S,
)
from selftune_build.store.atomic import store_errors

Ended = Literal["exit", "timeout", "flood", "cancelled", "missing"]

_NO_ROOM = frozenset((errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM))
"""The machine has no room for another child, whichever program it is."""


class NotStarted(StoreError):
    """The machine has no room for another child: nothing ran, so nothing can have been spent."""

    code = "not-started"


class Outcome(Struct, frozen=True):
    """How a child ended and what it wrote; after `missing` the reason stands in `stderr`."""

    exit_status: int | None
    """Negative: the number of the signal that ended it. None: it never ran."""
    stdout: bytes
    """Empty where stdout went to a file."""
    stderr: bytes
    """The last part of it, at most `CHILD_STDERR_MAX_BYTES`."""
    ended: Ended


def run(
    argv: Sequence[str],
    *,
    cwd: Path | str,
    env: Mapping[str, str],
    stdin: bytes = b"",
    stdout: BinaryIO | None = None,
    timeout_s: float,
    output_cap: int,
    pass_fds: Sequence[int] = (),
    cancel: threading.Event | None = None,
) -> Outcome:
    """Run one child in a process group of its own and return when it and its group are gone; never raises for what it does.

    At `timeout_s`, beyond `output_cap` bytes of stdout or when `cancel` is set, the group gets SIGTERM and a little later
    SIGKILL. What a child leaves behind in its group is killed as well. With a `stdout` file the child writes straight into
    it, a flood is cut back to the cap, and no pipe of ours breaks under a child that outlives us.

    Raises NotStarted.
    """
    tail = None if stdout is None else _Tail()
    start = _size(stdout)  # before the child is there: it may write at once
    try:
        child = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE if stdout is None else stdout,
            stderr=subprocess.PIPE if tail is None else tail.file,
            pass_fds=pass_fds,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return _not_started(argv, error, tail)
    try:
        supervisor = _Supervisor(child, stdin, stdout, start, tail, output_cap)
    except OSError as error:
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        return _not_started(argv, error, tail)
    with supervisor:
        return supervisor.outcome(time.monotonic() + timeout_s, cancel)


def _size(file: BinaryIO | None) -> int:
    return 0 if file is None else os.fstat(file.fileno()).st_size


def _not_started(argv: Sequence[str], error: OSError | ValueError, tail: _Tail | None) -> Outcome:
    if tail is not None:
        tail.file.close()
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        with store_errors("start", argv[0], family=NotStarted):
            raise error
    return Outcome(exit_status=None, stdout=b"", stderr=_reason(error).encode(), ended="missing")


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


class _Tail:
    """A file without a name for a child's stderr: the last part is kept, and it never grows far beyond its limit."""

    def __init__(self) -> None:
        with store_errors("create a file in", "the temporary folder", family=NotStarted):
            self.file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the supervisor
        # What we cut off must not leave a hole: the child goes on at the end, wherever that is by then.
        fcntl.fcntl(self.file, fcntl.F_SETFL, fcntl.fcntl(self.file, fcntl.F_GETFL) | os.O_APPEND)
        self._before = b""

    def cut(self) -> None:
        if os.fstat(self.file.fileno()).st_size > CHILD_STDERR_FILE_BYTES:
            self._before = self.read()
            os.ftruncate(self.file.fileno(), 0)

    def read(self) -> bytes:
        start = max(0, os.fstat(self.file.fileno()).st_size - CHILD_STDERR_MAX_BYTES)
        return (self._before + os.pread(self.file.fileno(), CHILD_STDERR_MAX_BYTES, start))[-CHILD_STDERR_MAX_BYTES:]


class _Supervisor:
    """Feeds, reads, watches and ends one child; everything happens in the calling thread, woken by the kernel."""

    def __init__(
        self, child: subprocess.Popen[bytes], stdin: bytes, file: BinaryIO | None, start: int, tail: _Tail | None, cap: int
    ) -> None:
        self._child = child
        self._tail = tail
        self._unsent = memoryview(stdin)
        self._file = file
        self._file_start = start
        self._cap = cap
        self._stdout = bytearray()
        self._stderr = bytearray()
        self._ended: Ended = "exit"
        self._selector = selectors.DefaultSelector()
        self._exit_notice = _exit_notice(child)
        self._exited = False
        self._group_ended = False

    def __enter__(self) -> _Supervisor:
        self._selector.register(self._exit_notice, selectors.EVENT_READ, self._note_exit)
        if self._child.stdout is not None:
            self._register(self._child.stdout, selectors.EVENT_READ, self._read_stdout)
        if self._child.stderr is not None:
            self._register(self._child.stderr, selectors.EVENT_READ, self._read_stderr)
        if self._child.stdin is not None:
            self._register(self._child.stdin, selectors.EVENT_WRITE, self._feed)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if not self._group_ended:
            self._signal(signal.SIGKILL)
        self._child.wait()
        self._selector.close()
        os.close(self._exit_notice)
        errors = self._child.stderr if self._tail is None else self._tail.file
        for pipe in (self._child.stdin, self._child.stdout, errors):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def outcome(self, deadline: float, cancel: threading.Event | None) -> Outcome:
        """Wait for the end of the child, ending it where a limit is reached."""
        while not self._exited and self._ended == "exit":
            # A pipe or an exit wakes us; a file that grows and a cancellation have to be looked for.
            self._turn(min(deadline - time.monotonic(), CHILD_WATCH_INTERVAL_S))
            self._ended = self._limit_reached(deadline, cancel)
        self._end_group()
        self._drain()
        stderr = bytes(self._stderr) if self._tail is None else self._tail.read()
        return Outcome(self._child.wait(), bytes(self._stdout[: self._cap]), stderr, self._ended)

    def _limit_reached(self, deadline: float, cancel: threading.Event | None) -> Ended:
        if self._tail is not None:
            self._tail.cut()
        if self._written() > self._cap:
            return "flood"
        if self._exited:
            return "exit"
        if cancel is not None and cancel.is_set():
            return "cancelled"
        return "timeout" if time.monotonic() >= deadline else "exit"

    def _written(self) -> int:
        if self._file is None:
            return len(self._stdout)
        return max(0, os.fstat(self._file.fileno()).st_size - self._file_start)

    def _end_group(self) -> None:
        """The leader gets a moment after SIGTERM; whatever else is in the group goes at once when the leader is gone."""
        if not self._exited:
            self._signal(signal.SIGTERM)
            last_moment = time.monotonic() + CHILD_KILL_GRACE_S
            while not self._exited and (left := last_moment - time.monotonic()) > 0:
                self._turn(left)
        self._signal(signal.SIGKILL)
        self._group_ended = True
        while not self._exited:
            self._turn(CHILD_KILL_GRACE_S)

    def _drain(self) -> None:
        """Take what lies in the pipes without waiting: a process that left the group may hold them open for ever."""
        last_moment = time.monotonic() + CHILD_KILL_GRACE_S
        while self._turn(0) and len(self._stdout) <= self._cap and time.monotonic() < last_moment:
            pass
        if self._written() > self._cap:
            self._ended = "flood" if self._ended == "exit" else self._ended
            if self._file is not None:
                os.ftruncate(self._file.fileno(), self._file_start + self._cap)

    def _turn(self, wait_s: float) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._selector.select(max(0.0, wait_s))
        for key, _ in ready:
            key.data()
        return ready

    def _register(self, pipe: IO[bytes], event: int, handle: object) -> None:
        os.set_blocking(pipe.fileno(), False)
        self._selector.register(pipe, event, handle)

    def _note_exit(self) -> None:
        self._exited = True
        self._selector.unregister(self._exit_notice)

    def _feed(self) -> None:
        pipe = self._child.stdin
        assert pipe is not None
        try:
            self._unsent = self._unsent[os.write(pipe.fileno(), self._unsent[:CHILD_PIPE_CHUNK_BYTES]) :]
        except BlockingIOError:
            return
        except OSError:
            self._unsent = self._unsent[:0]
        if not self._unsent:
            self._selector.unregister(pipe)
            with suppress(OSError):
                pipe.close()

    def _read_stdout(self) -> None:
        self._stdout += self._read(self._child.stdout)

    def _read_stderr(self) -> None:
        self._stderr += self._read(self._child.stderr)
        del self._stderr[:-CHILD_STDERR_MAX_BYTES]

    def _read(self, pipe: IO[bytes] | None) -> bytes:
        assert pipe is not None
        try:
            content = os.read(pipe.fileno(), CHILD_PIPE_CHUNK_BYTES)
        except BlockingIOError:
            return b""
        if not content:
            self._selector.unregister(pipe)
        return content

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, number)


def _exit_notice(child: subprocess.Popen[bytes]) -> int:
    """A descriptor that becomes readable when the child has ended: the kernel's where it has one, else a thread's."""
    if hasattr(os, "pidfd_open"):
        with suppress(OSError):
            return os.pidfd_open(child.pid)
    reader, writer = os.pipe()

    def wait() -> None:
        child.wait()
        os.close(writer)

    threading.Thread(target=wait, daemon=True).start()
    return reader
