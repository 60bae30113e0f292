"""What was said of each package, and all it was said from: who looks the same need not be read (docs/formats/state.md)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from selftune_build.errors import StoreError
from selftune_build.store.note import anchored, write_index
from selftune_build.store.state import EXACT, INDEX, holds, unwrapped
from selftune_build.store.trail import Looked, Trail
from selftune_build.store.watchlist import TooMany, TooYoung, Watched, watchlist, watchlist_within

MAGIC = b"selftune.memory/1"
SUFFIX = ".memory"


class Entry(Struct, frozen=True, array_like=True):
    """One package: how all looked that was looked at for it alone, and what came of it."""

    watched: Watched
    content: bytes


class Memory(Struct, frozen=True, array_like=True):
    """Entries by the absolute folder of the package, and how all looked that more than one of them depends on."""

    shared: Watched = []
    entries: dict[str, Entry] = {}


NO_MEMORY = Memory()
_DECODER = msgspec.msgpack.Decoder(Memory)


def recall_memory(store: Path, name: str, anchor: str) -> Memory:
    """The entries that are true today; none where something shared changed. Never raises."""
    with suppress(OSError, ValueError):
        body = unwrapped(MAGIC, str(_path(store, name)))
        known = _DECODER.decode(body) if body is not None else NO_MEMORY
        if known.shared and _is_anchor(known.shared[0], anchor) and holds(known.shared):
            return Memory(known.shared, {folder: entry for folder, entry in known.entries.items() if holds(entry.watched)})
    return NO_MEMORY


def note_memory(store: Path, name: str, anchor: str, trail: Trail, before: Memory, contents: Mapping[str, bytes]) -> None:
    """Keep what came of the packages in these folders, and of `before` what was recalled in their place. Never raises."""
    with suppress(TooYoung, TooMany, StoreError, OSError, ValueError):
        own = {folder: looked.split(_below(folder)) for folder, looked in trail.about.items()}
        shared = Looked(trail.shared, *(rest for _, rest in own.values()))
        entries = dict(before.entries)
        for folder, content in contents.items():
            with suppress(TooYoung):
                entries[folder] = Entry(watchlist_within(own[folder][0], trail.began_ns), content)
        memory = Memory(anchored(watchlist(shared, trail.began_ns, str(store)), anchor, [before.shared]), entries)
        write_index(_path(store, name), MAGIC, msgspec.msgpack.encode(memory))


def _below(folder: str) -> Callable[[str], bool]:
    inside = folder + os.sep
    return lambda path: path == folder or path.startswith(inside)


def _is_anchor(first: tuple[bytes, bytes], anchor: str) -> bool:
    """Nobody who wrote a memory elsewhere can have known when this file would be put there."""
    return first[0] == os.fsencode(anchor) and first[1][:1] == EXACT


def _path(store: Path, name: str) -> Path:
    return store / INDEX / (name + SUFFIX)
