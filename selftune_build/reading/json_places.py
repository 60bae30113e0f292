"""Where everything in a JSON text stands, and what in it no strict reader takes: a slow pass, made only when it is asked for."""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right

from msgspec import Struct, field

from selftune_build.late import late
from selftune_build.limits import DATA_DEPTH, FINDINGS_PER_FILE
from selftune_build.reading.document import Place, pointer_of

_TOKEN = late(r'[ \t\n\r]*("[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+)', re.DOTALL)
_SURROGATE = late("[\ud800-\udfff]")


class Fault(Struct, frozen=True):
    """Something that the parser lets pass and we do not; only a duplicate key is ever tolerated."""

    code: str
    message: str
    hint: str
    pointer: str
    place: Place


class _Frame(Struct):
    """An open container: its place and what comes next in it."""

    place: Place
    key: str | None = None
    key_place: Place | None = None
    seen: set[str] = field(default_factory=set)
    waiting: bool = True
    """Whether the next element of a list is still to come."""


class Scan(Struct):
    """The places of one JSON text, its faults in order, and the pointer of where the pass ended."""

    root: Place
    faults: list[Fault]
    pointer: str


def scan(text: str, *, until: int | None = None, integer_digits: int) -> Scan:
    """Places and faults of a JSON text, up to the first that nobody tolerates; with `until` only what is before it."""
    return _Scanner(text, integer_digits).run(len(text) if until is None else until)


class _Scanner:
    """One pass over the tokens with an explicit stack, so that no depth can exhaust ours."""

    def __init__(self, text: str, integer_digits: int) -> None:
        self._text, self._integer_digits = text, integer_digits
        self._line_ends = [found.start() for found in re.finditer("\n", text)]
        self._stack: list[_Frame] = []
        self._root = Place(1, 1)
        self._started = False
        self._faults: list[Fault] = []
        self._fatal = False

    def run(self, until: int) -> Scan:
        at = 0
        while not self._fatal and (found := _TOKEN.match(self._text, at)) and found.start(1) < until:
            self._token(found.group(1), self._place(found.start(1)))
            at = found.end()
        return Scan(self._root, self._faults, self._pointer())

    def _token(self, token: str, place: Place) -> None:
        frame = self._stack[-1] if self._stack else None
        if token in "}]":
            if self._stack:
                self._stack.pop()
                self._value_done()
        elif token == ",":
            self._value_done()
            if frame:
                frame.waiting = True
        elif frame and isinstance(frame.place.children, dict) and frame.key is None and token.startswith('"'):
            self._key(frame, token, place)
        elif token != ":":
            self._value(frame, token, place)

    def _key(self, frame: _Frame, token: str, place: Place) -> None:
        frame.key, frame.key_place = self._string(token, place), place
        if frame.key in frame.seen:
            message = f"the key `{frame.key[:60]}` stands twice in one object"
            self._fault("duplicate-key", message, "remove or rename one of the two", place)
        frame.seen.add(frame.key)

    def _value(self, frame: _Frame | None, token: str, place: Place) -> None:
        if frame is None:
            if not self._started:
                self._root = place
            self._started = True
        elif isinstance(frame.place.children, dict):
            if frame.key is not None and frame.key_place is not None:
                place.key_line, place.key_column = frame.key_place.line, frame.key_place.column
                frame.place.children[frame.key] = place
        elif isinstance(frame.place.children, list):
            frame.place.children.append(place)
            frame.waiting = False
        self._enter(token, place)

    def _enter(self, token: str, place: Place) -> None:
        if token in "{[":
            if len(self._stack) == DATA_DEPTH:
                self._fault("too-deep", f"nested more than {DATA_DEPTH} levels deep", "flatten it", place)
            place.children = {} if token == "{" else []
            self._stack.append(_Frame(place))
        elif token.startswith('"'):
            self._string(token, place)
        else:
            self._literal(token, place)

    def _value_done(self) -> None:
        if self._stack:
            self._stack[-1].key = None

    def _string(self, token: str, place: Place) -> str:
        try:
            value = str(json.loads(token, strict=False))
        except ValueError:
            return token[1:-1]
        found = _SURROGATE.search(value) if "\\" in token else None
        if found:
            message = f"an escape makes half a character, U+{ord(found.group()):04X}"
            self._fault("lone-surrogate", message, "write the character itself", place)
            return value.encode("utf-8", "replace").decode()
        return value

    def _literal(self, token: str, place: Place) -> None:
        if token in ("NaN", "Infinity", "-Infinity"):
            self._fault("not-a-number", f"`{token}` is not JSON", "write a number, or null", place)
        elif token.lstrip("-").isdecimal() and len(token.lstrip("-")) > self._integer_digits:
            self._fault("huge-integer", f"an integer of more than {self._integer_digits} digits", "write it as a string", place)
        elif token[-1:].isdecimal() and not token.lstrip("-").isdecimal() and not _finite(token):
            self._fault("huge-number", f"`{token[:60]}` is too large for a number", "write it as a string", place)

    def _fault(self, code: str, message: str, hint: str, place: Place) -> None:
        self._fatal = code != "duplicate-key"
        if self._fatal or len(self._faults) < FINDINGS_PER_FILE:
            self._faults.append(Fault(f"json-{code}", message, hint, self._pointer(), place))

    def _pointer(self) -> str:
        parts: list[str | int] = []
        for frame in self._stack[: DATA_DEPTH + 1]:
            if isinstance(frame.place.children, list):
                parts.append(len(frame.place.children) - (0 if frame.waiting else 1))
            elif frame.key is not None:
                parts.append(frame.key)
        return pointer_of(parts)

    def _place(self, offset: int) -> Place:
        line = bisect_right(self._line_ends, offset - 1)
        start = self._line_ends[line - 1] + 1 if line else 0
        return Place(line + 1, offset - start + 1)


def _finite(token: str) -> bool:
    try:
        return math.isfinite(float(token))
    except ValueError:
        return True
