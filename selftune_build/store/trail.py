"""What an invocation looked at and whether it did anything, as the interpreter itself tells (audit events)."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from selftune_build.probe import EVENT

_LISTED = frozenset({"os.listdir", "os.scandir"})
_DONE = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "os.system",
        "pty.spawn",
        "subprocess.Popen",
    }
    | {
        "os.chmod",
        "os.chown",
        "os.link",
        "os.remove",
        "os.rename",
        "os.symlink",
        "os.truncate",
        "socket.connect",
        "socket.sendto",
    }
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Trail:
    """Paths as absolute, not resolved; `idle` as long as nothing was started, sent or written."""

    def __init__(self) -> None:
        self.began_ns = time.time_ns()
        self.opened: set[str] = set()
        self.listed: set[str] = set()
        self.probed: set[str] = set()
        self.idle = True

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take one audit event. What is opened by descriptor was opened by name before."""
        if event == "open":
            self._opened(*arguments)
        elif event in _LISTED:
            self._keep(self.listed, arguments[0] if arguments[0] is not None else ".")
        elif event == EVENT:
            self._keep(self.probed, arguments[0])
        elif event in _DONE:
            self.idle = False

    def _opened(self, path: Any, _mode: str | None, flags: int) -> None:
        if flags & _WRITING and not isinstance(path, int):
            self.idle = False
        self._keep(self.opened, path)

    def _keep(self, kept: set[str], path: Any) -> None:
        if self.idle and not isinstance(path, int):
            kept.add(os.path.abspath(os.fsdecode(path)))


_current: Trail | None = None
_hooked = False


@contextmanager
def recorded() -> Iterator[Trail]:
    """The trail of what happens inside, in whatever thread. One at a time: a second one takes over."""
    global _current, _hooked
    trail = _current = Trail()
    if not _hooked:
        sys.addaudithook(_hook)  # cannot be taken back, so there is one for all trails
        _hooked = True
    try:
        yield trail
    finally:
        _current = None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    trail = _current
    if trail is None:
        return
    try:
        trail.hear(event, arguments)
    except Exception:  # would break off what is reported: an event that we do not understand only means that we know too little
        trail.idle = False
