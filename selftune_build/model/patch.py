"""A patch as read: for each file what becomes of it, as lines with their ends, so that no byte is guessed."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Fate(StrEnum):
    """What a patch does to a file."""

    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


class Hunk(Struct, frozen=True):
    """Lines to be replaced by lines."""

    line: int
    """One-based line of the patch where its `@@` stands."""
    start: int
    """How many lines of the file stand before it, by its header."""
    old: tuple[bytes, ...]
    """Each with its LF, but for a last line that has none."""
    new: tuple[bytes, ...]


class FilePatch(Struct, frozen=True):
    """What a patch makes of one file."""

    path: str
    """As the patch names it, without `a/` and `b/`: relative, safe, in its normal form."""
    fate: Fate
    line: int
    """One-based line of the patch where its part begins."""
    hunks: tuple[Hunk, ...] = ()
    executable: bool = False
    """Of a file that is added."""
