"""Writes the no-op state of an invocation that had nothing to do."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from selftune_build.errors import StoreError
from selftune_build.limits import STATES_KEPT
from selftune_build.store.atomic import store_errors, write_atomic
from selftune_build.store.state import INDEX, MAGIC, SUFFIX, encoded_body, invocation, wrapped
from selftune_build.store.trail import Trail
from selftune_build.store.watchlist import TooMany, TooYoung, Watched, watchlist


def note(
    trail: Trail, store: Path, anchor: str, arguments: Sequence[str], text: str, status: int, known: Iterable[Watched] = ()
) -> None:
    """Note what was printed, if the trail allows it; `anchor` is a file of the workspace that was opened, `known` is what this
    invocation did not look at because it looked as it did when somebody else had.

    A state that cannot be written costs time on the next run and nothing else: never raises.
    """
    looked = trail.whole
    if not trail.idle or anchor not in looked.opened:
        return
    with suppress(TooYoung, TooMany, StoreError, OSError, ValueError):
        watched = anchored(watchlist(looked, trail.began_ns, str(store)), anchor, known)
        name = invocation(arguments)
        write_index(store / INDEX / (name + SUFFIX), MAGIC, encoded_body(name, text, status, watched))


def anchored(watched: Watched, anchor: str, known: Iterable[Watched] = ()) -> Watched:
    """One list of all, each pair once, the anchor first."""
    first = os.fsencode(anchor)
    pairs = {pair for part in (watched, *known) for pair in part}
    return sorted(pairs, key=lambda pair: (pair[0] != first, pair))


def write_index(path: Path, magic: bytes, body: bytes) -> None:
    """Write a file that can be had again, and remove the oldest of its kind. Raises StoreError and OSError."""
    import secrets

    # A time that only we know: a file that came out of a clone or an archive does not have it.
    written_ns = 2_000_000_000 * secrets.randbelow(2**30)
    with store_errors("create the folder", path.parent):
        path.parent.mkdir(exist_ok=True)
    write_atomic(path, wrapped(magic, body, time.time_ns(), written_ns), durable=False, mode=0o600)
    os.utime(path, ns=(written_ns, written_ns))
    states = sorted(path.parent.glob("*" + path.suffix), key=lambda each: each.lstat().st_ctime_ns, reverse=True)
    for old in states[STATES_KEPT:]:
        old.unlink()
