"""Where a value of a JSON text stands, found by hopping over its neighbours at the parser's own speed.

For texts that the parser took and in which nothing is suspect: what is wrong with the others, `json_places` has to say.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Callable
from functools import partial

from selftune_build.reading.document import Place

_SPACE = re.compile(r"[ \t\n\r]*")
# Values are parsed for their ends alone: numbers stay text, however long they are.
_HOP = json.JSONDecoder(parse_int=str, parse_float=str, strict=False)


def root_place(text: str) -> Place:
    """The place of the outermost value; the places inside of each are found when they are asked for."""
    lookup = _Lookup(text)
    return lookup.at(lookup.skip(0))


class _Lookup:
    def __init__(self, text: str) -> None:
        self._text = text
        self._line_ends = [found.start() for found in re.finditer("\n", text)]

    def at(self, offset: int, key: int | None = None) -> Place:
        """The place of the value at an offset, with that of the key before it."""
        line, column = self._position(offset)
        key_line, key_column = (None, None) if key is None else self._position(key)
        opening = self._text[offset]
        inside: Callable[[], dict[str, Place] | list[Place]] | None = None
        if opening in "{[":
            inside = partial(self._members if opening == "{" else self._items, offset + 1)
        return Place(line, column, key_line, key_column, inside=inside)

    def _members(self, start: int) -> dict[str, Place]:
        found: dict[str, Place] = {}
        at = self.skip(start)
        while self._text[at] != "}":
            key, end = _HOP.raw_decode(self._text, at)
            value = self.skip(self.skip(end) + 1)
            found[key] = self.at(value, at)
            at = self._next(value)
        return found

    def _items(self, start: int) -> list[Place]:
        found: list[Place] = []
        at = self.skip(start)
        while self._text[at] != "]":
            found.append(self.at(at))
            at = self._next(at)
        return found

    def _next(self, value: int) -> int:
        """Where the next key or value, or the closing bracket, stands."""
        at = self.skip(_HOP.raw_decode(self._text, value)[1])
        return self.skip(at + 1) if self._text[at] == "," else at

    def skip(self, at: int) -> int:
        """The offset of what comes next but white space."""
        found = _SPACE.match(self._text, at)
        return at if found is None else found.end()

    def _position(self, offset: int) -> tuple[int, int]:
        line = bisect_left(self._line_ends, offset)
        return line + 1, offset - (self._line_ends[line - 1] if line else -1)
