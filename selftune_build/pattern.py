"""Regular expressions from strangers: refused where they cannot be held within bounds, searched under a time limit.

Syntax is that of Python's `re`, with `^` and `$` at every line. The engine is the `regex` library, because it can be stopped.
"""

from __future__ import annotations

import re
from typing import Any

from selftune_build.limits import PATTERN_CHARACTERS, PATTERN_REPEATS, PATTERN_SECONDS

_COUNTS = re.compile(r"\{(\d{1,9})?,?(\d{1,9})?\}")
_RECURSION = re.compile(r"\(\?(?:R\)|[+-]?\d+\)|&|P>)")


class PatternError(ValueError):
    """The pattern is not a regular expression, or one that cannot be searched within bounds."""


class PatternTimeout(Exception):
    """The search took longer than its limit; it says nothing about whether there is a match."""


def compile_pattern(pattern: str, *, ignore_case: bool = False) -> Any:
    """The compiled pattern. Raises PatternError where it is invalid, too long, recursive or repeats too much.

    Recursion is refused because its memory is unbounded; counted repeats because they are multiplied out when compiled.
    """
    import regex

    _refuse_costly(pattern)
    flags = regex.MULTILINE | (regex.IGNORECASE if ignore_case else 0)
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
