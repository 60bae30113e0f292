"""Writes the no-op state of an invocation that had nothing to do."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from selftune_build.errors import StoreError
from selftune_build.limits import STATES_KEPT
from selftune_build.store.atomic import store_errors, write_atomic
from selftune_build.store.state import INDEX, SUFFIX, encoded, invocation
from selftune_build.store.trail import Trail
from selftune_build.store.watchlist import TooMany, TooYoung, Watched, watchlist


def note(trail: Trail, store: Path, anchor: str, arguments: Sequence[str], text: str, status: int) -> None:
    """Note what was printed, if the trail allows it; `anchor` is a file of the workspace that was opened.

    A state that cannot be written costs time on the next run and nothing else: never raises.
    """
    if not trail.idle or anchor not in trail.opened:
        return
    with suppress(TooYoung, TooMany, StoreError, OSError, ValueError):
        watched = _anchored(watchlist(trail, str(store)), os.fsencode(anchor))
        name = invocation(arguments)
        # A time that only we know: a file that came out of a clone or an archive does not have it.
        written_ns = 2_000_000_000 * secrets.randbelow(2**30)
        content = encoded(name, text, status, time.time_ns(), written_ns, watched)
        _write(store / INDEX / (name + SUFFIX), content, written_ns)


def _anchored(watched: Watched, anchor: bytes) -> Watched:
    """The list with the anchor first."""
    return sorted(watched, key=lambda pair: pair[0] != anchor)


def _write(path: Path, content: bytes, written_ns: int) -> None:
    with store_errors("create the folder", path.parent):
        path.parent.mkdir(exist_ok=True)
    write_atomic(path, content, durable=False, mode=0o600)
    os.utime(path, ns=(written_ns, written_ns))
    states = sorted(path.parent.glob("*" + SUFFIX), key=lambda each: each.lstat().st_ctime_ns, reverse=True)
    for old in states[STATES_KEPT:]:
        old.unlink()
