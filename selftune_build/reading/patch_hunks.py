"""The hunks of one file of a patch: lines are counted, so that a hunk that was cut or edited by hand is noticed."""

from __future__ import annotations

import re

from selftune_build.limits import PATCH_HUNKS
from selftune_build.model.patch import Hunk
from selftune_build.reading.patch_lines import Lines

_HEADER = re.compile(
    rb"@@ -(?P<a>[0-9]{1,9})(?:,(?P<b>[0-9]{1,9}))? \+(?P<c>[0-9]{1,9})(?:,(?P<d>[0-9]{1,9}))? @@(?: .*)?", re.DOTALL
)
_NO_NEWLINE = b"\\ "
_REMAKE = "make the patch anew: its counts have to fit"
_SIDES = {b" ": "both", b"-": "old", b"+": "new"}


def read_hunks(lines: Lines, path: str) -> tuple[Hunk, ...]:
    """Every hunk up to what is none. Raises InputError where there is none, or its lines are not those that it announces."""
    hunks: list[Hunk] = []
    while lines.left and lines.peek().startswith(b"@@"):
        if len(hunks) == PATCH_HUNKS:
            raise lines.fault(f"`{path}` has more than {PATCH_HUNKS:,} hunks", "split the patch")
        hunks.append(_hunk(lines, path, len(hunks) + 1))
    if not hunks:
        raise lines.fault(f"no hunk follows the names of `{path}`", "make the patch with `git diff`")
    return tuple(hunks)


def _hunk(lines: Lines, path: str, number: int) -> Hunk:
    line, named = lines.number, f"hunk {number} of `{path}`"
    header = _HEADER.fullmatch(lines.peek())
    if header is None:
        raise lines.fault(f"the header of {named} is not `@@ -LINE,COUNT +LINE,COUNT @@`", _REMAKE)
    lines.take()
    start = int(header["a"])
    left = {"old": int(header["b"] or 1), "new": int(header["d"] or 1)}
    if left["old"] and not start:
        raise lines.fault(f"{named} begins at line 0", _REMAKE, line=line)
    before = start - 1 if left["old"] else start
    sides: dict[str, list[bytes]] = {"old": [], "new": []}
    while left["old"] or left["new"]:
        _line(lines, named, left, sides)
    if not (sides["old"] or sides["new"]):
        raise lines.fault(f"{named} has no lines", "remove it from the patch", line=line)
    return Hunk(line, before, tuple(sides["old"]), tuple(sides["new"]))


def _line(lines: Lines, named: str, left: dict[str, int], sides: dict[str, list[bytes]]) -> None:
    """One line of a hunk, with the remark after it that it has no newline."""
    if not lines.left:
        raise lines.fault(f"{named} ends too early", _REMAKE)
    text = lines.peek()
    side = _SIDES.get(text[:1])
    if side is None:
        said = "an empty line" if not text else "a line that begins with neither a space, `-` nor `+`"
        raise lines.fault(f"{named} has {said} before its announced end", "context lines begin with a space; " + _REMAKE)
    touched = ("old", "new") if side == "both" else (side,)
    for each in touched:
        if not left[each]:
            raise lines.fault(f"{named} has more {each} lines than it announces", _REMAKE)
    lines.take()
    unended = lines.left and lines.peek().startswith(_NO_NEWLINE)
    for each in touched:
        left[each] -= 1
        sides[each].append(text[1:] if unended else text[1:] + b"\n")
        if unended and left[each]:
            raise lines.fault(f"{named} says that a line has no newline, and goes on after it", _REMAKE)
    if unended:
        lines.take()
