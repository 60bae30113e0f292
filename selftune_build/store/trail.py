"""What an invocation looked at and whether it did anything, as the interpreter itself tells (audit events)."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from selftune_build.probe import ABOUT, EVENT

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


class Looked:
    """What was looked at: absolute paths, not resolved."""

    def __init__(self, *parts: Looked) -> None:
        self.opened: set[str] = set().union(*(part.opened for part in parts))
        self.listed: set[str] = set().union(*(part.listed for part in parts))
        self.probed: set[str] = set().union(*(part.probed for part in parts))

    def split(self, keep: Callable[[str], bool]) -> tuple[Looked, Looked]:
        """What fits and what does not."""
        fit, rest = Looked(), Looked()
        for name in ("opened", "listed", "probed"):
            paths: set[str] = getattr(self, name)
            setattr(fit, name, {path for path in paths if keep(path)})
            setattr(rest, name, paths - getattr(fit, name))
        return fit, rest


class Trail:
    """What was looked at, for all (`shared`) and for one package alone (`about`, by its folder); `idle` as long as nothing was
    started, sent or written."""

    def __init__(self) -> None:
        self.began_ns = time.time_ns()
        self.shared = self._now = Looked()
        self.about: dict[str, Looked] = {}
        self.idle = True

    @property
    def whole(self) -> Looked:
        """Everything that was looked at."""
        return Looked(self.shared, *self.about.values())

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take one audit event. What is opened by descriptor was opened by name before."""
        if event == "open":
            self._opened(*arguments)
        elif event in _LISTED:
            self._keep(self._now.listed, arguments[0] if arguments[0] is not None else ".")
        elif event == EVENT:
            self._keep(self._now.probed, arguments[0])
        elif event == ABOUT:
            self._now = self.about.setdefault(arguments[0], Looked()) if arguments[0] else self.shared
        elif event in _DONE:
            self.idle = False

    def _opened(self, path: Any, _mode: str | None, flags: int) -> None:
        if flags & _WRITING and not isinstance(path, int):
            self.idle = False
        self._keep(self._now.opened, path)

    def _keep(self, kept: set[str], path: Any) -> None:
        if self.idle and not isinstance(path, int):
            kept.add(os.path.abspath(os.fsdecode(path)))


_current: Trail | None = None
_hooked = False


@contextmanager
def recorded(*, wanted: bool = True) -> Iterator[Trail]:
    """The trail of what happens inside, in whatever thread. One at a time: a second one takes over.

    Where none is `wanted` nothing listens, and the trail is one of which nothing can be noted.
    """
    global _current, _hooked
    trail = Trail()
    if not wanted:
        trail.idle = False
        yield trail
        return
    _current = trail
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
