"""Regular expressions from strangers: refused where they cannot be held within bounds, searched under a time limit.

Syntax is that of Python's `re`, with `^` and `$` at every line. The engine is the `regex` library, because it can be stopped.
"""

from __future__ import annotations

import time
from typing import Any

from selftune_build.late import late
from selftune_build.limits import PATTERN_CHARACTERS, PATTERN_REPEATS, PATTERN_SECONDS

_COUNTS = late(r"\{(\d{1,9})?,?(\d{1,9})?\}")
_RECURSION = late(r"\(\?(?:R\)|[+-]?\d+\)|&|P>)")


class PatternError(ValueError):
    """The pattern is not a regular expression, or one that cannot be searched within bounds."""


class PatternTimeout(Exception):
    """The search took longer than its limit; it says nothing about whether there is a match."""


def compile_pattern(pattern: str, *, ignore_case: bool = False, lines: bool = True) -> Any:
    """The compiled pattern; with `lines` its `^` and `$` are those of lines, else of the text.

    Raises PatternError where it is invalid, too long, recursive or repeats too much.

    Recursion is refused because its memory is unbounded; counted repeats because they are multiplied out when compiled.
    """
    import regex

    _refuse_costly(pattern)
    flags = (regex.MULTILINE if lines else 0) | (regex.IGNORECASE if ignore_case else 0)
    try:
        return regex.compile(pattern, flags, cache_pattern=False)
    except (regex.error, RecursionError, MemoryError, OverflowError, ValueError, KeyError) as problem:
        raise PatternError(f"it is not a valid regular expression: {problem}") from None


def first_match(pattern: str, text: str, *, ignore_case: bool = False) -> tuple[int, int] | None:
    """Start and end of the first match in `text`. Raises PatternError and PatternTimeout."""
    compiled = compile_pattern(pattern, ignore_case=ignore_case)
    try:
        found = compiled.search(text, timeout=PATTERN_SECONDS)
    except (TimeoutError, MemoryError):
        raise PatternTimeout(f"the search took longer than {PATTERN_SECONDS:g} s") from None
    return found.span() if found else None


class Patience:
    """Searches for patterns that stand in the question of one check: all of them together get the time of one search.

    `^` and `$` are those of the text. Raises PatternError and PatternTimeout.
    """

    def __init__(self) -> None:
        self._until = time.monotonic() + PATTERN_SECONDS
        self._compiled: dict[str, Any] = {}

    def search(self, pattern: str, text: str) -> bool:
        """Whether the pattern matches somewhere in the text."""
        return self._run("search", pattern, text)

    def fullmatch(self, pattern: str, text: str) -> bool:
        """Whether the pattern matches the whole text."""
        return self._run("fullmatch", pattern, text)

    def _run(self, way: str, pattern: str, text: str) -> bool:
        if pattern not in self._compiled:
            self._compiled[pattern] = compile_pattern(pattern, lines=False)
        left = self._until - time.monotonic()
        try:
            if left > 0:
                return getattr(self._compiled[pattern], way)(text, timeout=left) is not None
        except (TimeoutError, MemoryError):
            pass
        raise PatternTimeout(f"the searches took longer than {PATTERN_SECONDS:g} s")


def _refuse_costly(pattern: str) -> None:
    if len(pattern) > PATTERN_CHARACTERS:
        raise PatternError(f"it is longer than {PATTERN_CHARACTERS} characters")
    if _RECURSION.search(pattern):
        raise PatternError("it calls itself")
    product = 1
    for low, high in _COUNTS.findall(pattern):
        product *= max(int(low or 1), int(high or 1), 1)
        if product > PATTERN_REPEATS:
            raise PatternError(f"its repeat counts multiply to more than {PATTERN_REPEATS}")
