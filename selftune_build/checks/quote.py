"""Looking for text and quoting the place: what the evidence of text and file checks is made of."""

from __future__ import annotations

from selftune_build.limits import CHECK_SEARCH_CHARACTERS

_AROUND = 40
_NEAR_ENOUGH = 4


def normalised(text: str) -> str:
    """The text with LF line ends, cut to what checks search."""
    return text[:CHECK_SEARCH_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n")


def find(needle: str, text: str, *, ignore_case: bool = False) -> tuple[int, int] | None:
    """Start and end of the first place where `text` holds `needle`, both with LF line ends. None where it does not.

    Ignoring case compares case-folded text; the place is then that in the folded text, exact unless folding changes lengths.
    """
    wanted = normalised(needle)
    start = text.casefold().find(wanted.casefold()) if ignore_case else text.find(wanted)
    return None if start < 0 else (start, start + len(wanted))


def around(text: str, span: tuple[int, int]) -> str:
    """The place in quotes with a little text on both sides."""
    start, end = max(0, span[0] - _AROUND), min(len(text), span[1] + _AROUND)
    before = "…" if start else ""
    after = "…" if end < len(text) else ""
    return f'"{before}{text[start:end].strip()}{after}"'


def nearest(needle: str, text: str) -> str:
    """A sentence about what `text` holds instead of `needle`.

    Tries other case, then the longest beginning of `needle` that occurs (bisection: every shorter one occurs too).
    """
    if not text.strip():
        return beginning(text)
    other_case = find(needle, text, ignore_case=True)
    if other_case:
        return f"only in other case: {around(text, other_case)}"
    length = _longest_beginning(normalised(needle), text)
    if length >= _NEAR_ENOUGH:
        start = text.find(normalised(needle)[:length])
        return f"nearest is {around(text, (start, start + length))}"
    return beginning(text)


def beginning(text: str) -> str:
    """A sentence about how `text` starts."""
    stripped = text.lstrip()
    return f"it starts {around(stripped, (0, _AROUND))}" if stripped else "there is no text at all"


def _longest_beginning(needle: str, text: str) -> int:
    low, high = 0, len(needle)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if needle[:middle] in text else (low, middle - 1)
    return low
