"""The two texts of a lock that a merge could not reconcile."""

from __future__ import annotations

from collections.abc import Iterator

_OPEN, _BASE, _SPLIT, _CLOSE = b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>"
_SIDES = {_OPEN: "ours", _BASE: "base", _SPLIT: "theirs"}


def has_markers(content: bytes) -> bool:
    """Whether a line opens a conflict. No line of a canonical lock does: they start with a space or a brace."""
    return any(_marker(line) == _OPEN for line in content.split(b"\n"))


def conflict_sides(content: bytes) -> tuple[bytes, bytes]:
    """Ours and theirs, from two-way and diff3 markers; of conflicts inside of conflicts ours of ours and theirs of theirs."""
    lines = [(line, set(inside)) for line, inside in _lines(content)]
    ours, theirs = (b"".join(line for line, inside in lines if inside <= {side}) for side in ("ours", "theirs"))
    return ours, theirs


def _lines(content: bytes) -> Iterator[tuple[bytes, list[str]]]:
    """Each line but the markers, with the sides of the conflicts around it. Markers that close nothing are lines."""
    around: list[str] = []
    for line in content.splitlines(keepends=True):
        marker = _marker(line)
        if marker == _OPEN:
            around.append("ours")
        elif marker is not None and around:
            if marker == _CLOSE:
                around.pop()
            else:
                around[-1] = _SIDES[marker]
        else:
            yield line, around


def _marker(line: bytes) -> bytes | None:
    """The marker that a line is. Longer runs of the same character belong to a merge of the base: text of the base."""
    marker = line[:7]
    return marker if marker in (*_SIDES, _CLOSE) and line[7:8] in (b"", b" ", b"\r", b"\n") else None
