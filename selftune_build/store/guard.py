"""Guards: kernel locks on open files, freed by the kernel when the last process that holds them is gone."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from selftune_build.errors import UndecidedError
from selftune_build.limits import STORE_WAIT_INTERVAL_S
from selftune_build.store.atomic import store_errors, write_all


@contextmanager
def guarded_file(
    path: Path, content: bytes, waiting: Callable[[str, str], None], cancel: threading.Event | None = None
) -> Iterator[None]:
    """Hold the guard on `path`, a file that says what is guarded; between threads of one process too.

    `waiting` is told the `holder` once before blocking. Raises StoreError, and UndecidedError when `cancel` is set meanwhile.
    """
    descriptor = _hold(path, waiting, cancel)
    try:
        with store_errors("write", path):
            _refresh(descriptor, content)
        yield
    finally:
        os.close(descriptor)


def try_hold(descriptor: int) -> bool:
    """Take the guard on an open file unless somebody else has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_for(descriptor: int, until: float, cancel: threading.Event | None = None) -> bool:
    """Whether the guard could be taken before `until` on the monotonic clock."""
    while not (held := try_hold(descriptor)) and time.monotonic() < until:
        if cancel is not None and cancel.wait(STORE_WAIT_INTERVAL_S):
            break
        if cancel is None:
            time.sleep(STORE_WAIT_INTERVAL_S)
    return held


def started() -> bytes:
    """What differs after the machine was started anew; empty where the system has no such thing."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:
        return b""


def machine() -> str:
    """A word that is equal for processes which see each other's guards: of one machine, since it was started."""
    return started().decode().strip() or os.uname().nodename


def holder(descriptor: int) -> tuple[str, str]:
    """Who took the guard on an open file and where that was started (empty where it is not told), in words."""
    process = _holding(descriptor)
    if process is None:
        return "another process", ""
    if process == os.getpid():
        return "this process", ""
    with suppress(OSError):
        return f"process {process}", f", started in {os.readlink(f'/proc/{process}/cwd')}"
    return f"process {process}", ""


def _holding(descriptor: int) -> int | None:
    """The process that took the guard; None where the kernel does not tell."""
    found = os.fstat(descriptor)
    wanted = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    with suppress(OSError):
        for line in Path("/proc/locks").read_text(encoding="ascii", errors="replace").splitlines():
            words = line.split()
            if len(words) > 5 and words[1] == "FLOCK" and words[5] == wanted and words[4].isdigit():
                return int(words[4])
    return None


def _hold(path: Path, waiting: Callable[[str, str], None], cancel: threading.Event | None) -> int:
    """An open descriptor of the file that stands at `path` now, its guard held."""
    told = False
    while True:
        with store_errors("open", path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            with store_errors("guard", path):
                if not try_hold(descriptor):
                    if not told:
                        waiting(*holder(descriptor))
                    told = True
                    if not wait_for(descriptor, float("inf"), cancel):
                        raise UndecidedError(f"stopped waiting for {path}")
                if _stands_at(descriptor, path):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _stands_at(descriptor: int, path: Path) -> bool:
    """False when the file was removed or replaced between opening and guarding it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _refresh(descriptor: int, content: bytes) -> None:
    """Written in place, not renamed, because the guard hangs on this very file; a torn content is mended by the next holder."""
    if os.pread(descriptor, len(content) + 1, 0) != content:
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        write_all(descriptor, content)
