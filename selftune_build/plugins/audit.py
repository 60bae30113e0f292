"""What code of a plugin may not do while it is called: write where it should not, and for what only reads, start or connect.

Python's audit events tell. This finds mistakes and names them; it is no sandbox, since code that was installed runs with the
rights of whoever installed it, and its child processes and own threads are not seen.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selftune_build.plugins.places import is_below

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_ONE_PATH = frozenset({"os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod", "os.chown", "shutil.rmtree"})
_TWO_PATHS = frozenset({"os.rename", "os.link", "os.symlink"})
_STARTS = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "socket.connect", "socket.sendto"}
)
_CACHES = ("__pycache__", ".pyc")

_calling = threading.local()
_protected: set[str] = set()
_temporary: list[str] = []
_installed = threading.Lock()
_hooked = False


class Forbidden(PermissionError):
    """Raised inside the plugin at the very call that was not allowed."""


def protect(folder: Path) -> None:
    """No plugin writes below this folder from now on."""
    global _hooked
    _protected.add(os.path.realpath(folder))
    with _installed:
        if not _hooked:
            # Python finds the temporary folder by writing to it: inside the hook that would call the hook.
            _temporary.append(os.path.realpath(tempfile.gettempdir()))
            sys.addaudithook(_audit)
            _hooked = True


@contextmanager
def watched(*, reads_only: bool) -> Iterator[list[str]]:
    """While plugin code runs in this thread. The list names what it tried, also where it swallowed the error."""
    tried: list[str] = []
    _calling.now = (reads_only, tried)
    try:
        yield tried
    finally:
        _calling.now = None


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    now = getattr(_calling, "now", None)
    if now is None:
        return
    reads_only, tried = now
    what = _fault(event, arguments, reads_only)
    if what is not None:
        tried.append(what)
        raise Forbidden(what)


def _fault(event: str, arguments: tuple[Any, ...], reads_only: bool) -> str | None:
    if reads_only and event in _STARTS:
        return f"it may not start programs or connect ({event})"
    path = next((path for path in _written(event, arguments) if _is_forbidden(path, reads_only)), None)
    return None if path is None else f"it may not write {path}"


def _written(event: str, arguments: tuple[Any, ...]) -> list[str]:
    """Absolute paths that an event is about to change."""
    if event == "open":
        path, _, flags = arguments
        changed = [path] if isinstance(flags, int) and flags & _WRITES else []
    elif event in _ONE_PATH:
        changed = list(arguments[:1])
    elif event in _TWO_PATHS:
        changed = list(arguments[:2]) if event == "os.rename" else list(arguments[1:2])
    elif event == "sqlite3.connect":
        changed = [path for path in arguments[:1] if path not in (":memory:", "", b":memory:")]
    else:
        return []
    return [os.path.realpath(os.fsdecode(path)) for path in changed if isinstance(path, (str, bytes, os.PathLike))]


def _is_forbidden(path: str, reads_only: bool) -> bool:
    if any(cache in path for cache in _CACHES) or path == os.devnull:
        return False
    temporary = _temporary[0]
    for folder in _protected:
        if is_below(path, folder):
            return not (is_below(temporary, folder) and is_below(path, temporary))
    return reads_only and not is_below(path, temporary)
