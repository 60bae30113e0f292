"""The two texts of a lock that a merge could not reconcile."""

from __future__ import annotations

from selftune_build.limits import LOCK_CONFLICTS

_OPEN, _BASE, _SPLIT, _CLOSE = b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>"
_SIDES = {_OPEN: "ours", _BASE: "base", _SPLIT: "theirs"}


def has_markers(content: bytes) -> bool:
    """Whether a line opens a conflict. No line of a canonical lock does: they start with a space or a brace."""
    return _OPEN in content and any(_marker(line) == _OPEN for line in content.split(b"\n"))


def conflict_sides(content: bytes) -> tuple[bytes, bytes]:
    """Ours and theirs, from two-way and diff3 markers; of conflicts inside of conflicts ours of ours and theirs of theirs.

    Markers that open too much or close nothing are lines, and no lock has such a line.
    """
    ours: list[bytes] = []
    theirs: list[bytes] = []
    around: list[str] = []
    for line in content.splitlines(keepends=True):
        if _moved(around, _marker(line)):
            continue
        if around.count("ours") == len(around):
            ours.append(line)
        if around.count("theirs") == len(around):
            theirs.append(line)
    return b"".join(ours), b"".join(theirs)


def _moved(around: list[str], marker: bytes | None) -> bool:
    """Take a marker into account in the sides of the conflicts around the next line; False where it is none there."""
    if marker == _OPEN and len(around) < LOCK_CONFLICTS:
        around.append("ours")
    elif marker == _CLOSE and around:
        around.pop()
    elif marker in (_BASE, _SPLIT) and around:
        around[-1] = _SIDES[marker]
    else:
        return False
    return True


def _marker(line: bytes) -> bytes | None:
    """The marker that a line is. Longer runs of the same character belong to a merge of the base: text of the base."""
    if line[:1] not in b"<|=>":
        return None
    marker = line[:7]
    return marker if marker in (*_SIDES, _CLOSE) and line[7:8] in (b"", b" ", b"\r", b"\n") else None
