"""Text measured in terminal cells: width, padding, wrapping, colour."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from selftune_build.escape import defused, one_line
from selftune_build.limits import EVIDENCE_CHARACTERS, NAME_CHARACTERS

_COLOURS = {"pass": "32", "fail": "31", "inconclusive": "33", "heading": "1", "quiet": "2"}


def name(text: str) -> str:
    """A stranger's name, safe to show."""
    return one_line(text, NAME_CHARACTERS)


def sentence(text: str) -> str:
    """A stranger's sentence, safe to show."""
    return one_line(text, EVIDENCE_CHARACTERS)


def percent(part: int, whole: int) -> str:
    """A share, rounded down: 100 % is said of nothing less."""
    return f"{100 * part // whole} %"


def cells(text: str) -> int:
    """How many terminal cells the text takes; wide East Asian characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(_cell(character) for character in text)


def _cell(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text filled up with spaces to `width` cells, pushed to the right where asked."""
    space = " " * (width - cells(text))
    return space + text if right else text + space


def paint(text: str, style: str, colour: bool) -> str:
    """The text in the colour of a verdict or as a heading; unchanged without colour or for an unknown style."""
    code = _COLOURS.get(style)
    return f"\x1b[{code}m{text}\x1b[0m" if colour and code and text else text


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """The text in lines of at most `width` cells, all but the first behind `indent`; words that are too long are cut."""
    room = max(width - cells(indent), 1)
    lines: list[str] = []
    for word in _words(text, room):
        if lines and cells(lines[-1]) + 1 + cells(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    safe = [defused(line) for line in lines or [""]]  # a word that was cut may go on with what a runner takes for a command
    return [line if index == 0 else indent + line for index, line in enumerate(safe)]


def indented(text: str, width: int, depth: int) -> list[str]:
    """The text in lines of at most `width` cells, each behind so many spaces, all but the first behind two more."""
    first, *more = wrap(text, width - depth, "  ")
    return [" " * depth + line for line in (first, *more)]


def _words(text: str, room: int) -> Iterator[str]:
    for word in text.split(" "):
        piece = ""
        for character in word:
            if piece and cells(piece) + _cell(character) > room:
                yield piece
                piece = ""
            piece += character
        if piece:
            yield piece
