"""Marks that a merge left in a text: what stands between them was never one text."""

from __future__ import annotations

from collections.abc import Iterable

from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location

_MARKS = ("<<<<<<< ", ">>>>>>> ")
"""A line of `=======` alone underlines a heading of Markdown."""
_FENCES = ("```", "~~~")


def conflict_markers(lines: Iterable[str], path: str) -> tuple[Finding, ...]:
    """A finding at the first line that opens or closes a conflict; in a fence of code it is an example of one."""
    fence = ""
    for number, line in enumerate(lines, 1):
        mark = next((mark for mark in _FENCES if line.lstrip(" >").startswith(mark)), "")
        if mark and fence in ("", mark):
            fence = "" if fence else mark
        if not fence and line.startswith(_MARKS):
            hint = "keep one side, or both, and remove the lines of <<<<<<<, ======= and >>>>>>>"
            return (Finding("conflict-marker", Severity.ERROR, "a merge left a conflict here", Location(path, number), hint),)
    return ()
