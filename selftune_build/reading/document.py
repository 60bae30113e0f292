"""Plain data together with the place of every value in the file it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from selftune_build.model.finding import Finding
from selftune_build.model.location import Location


class Place(Struct):
    """Where a value and the key before it start (one-based), and the places inside it."""

    line: int
    column: int
    key_line: int | None = None
    key_column: int | None = None
    children: dict[str, Place] | list[Place] | None = None
    inside: Callable[[], dict[str, Place] | list[Place]] | None = None
    """Finds the children when they are first asked for, where that is cheaper than to find all beforehand."""


class Implicit(Struct, frozen=True):
    """A plain YAML scalar kept as text although another reader would take it for a `kind` (boolean, number, date, null)."""

    pointer: str
    kind: str
    text: str


class Document(Struct, frozen=True):
    """A file that was read: its data, what was noticed, and where everything stands."""

    path: str
    data: Any
    places: Callable[[], Place]
    findings: tuple[Finding, ...] = ()
    implicit: tuple[Implicit, ...] = ()

    def locate(self, pointer: str = "") -> Location:
        """Where the value under a JSON pointer starts; for a value that is not there, where its nearest parent starts."""
        place = self._nearest(pointer)
        return Location(self.path, place.line, place.column, pointer)

    def locate_key(self, pointer: str) -> Location:
        """Where the key of the value under a JSON pointer starts; as `locate` for a value without a key."""
        place = self._nearest(pointer)
        line, column = (place.line, place.column) if place.key_line is None else (place.key_line, place.key_column)
        return Location(self.path, line, column, pointer)

    def _nearest(self, pointer: str) -> Place:
        place = self.places()
        for part in parts_of(pointer):
            below = _child(place, part)
            if below is None:
                break
            place = below
        return place


def pointer_of(parts: Iterable[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path of keys and indices."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def parts_of(pointer: str) -> list[str]:
    """The keys and indices of a JSON pointer, unescaped; the inverse of `pointer_of` but for the type of indices."""
    parts = pointer.split("/")[1:]
    return [part.replace("~1", "/").replace("~0", "~") for part in parts] if "~" in pointer else parts


def _child(place: Place, part: str) -> Place | None:
    if place.inside is not None:
        place.children, place.inside = place.inside(), None
    if isinstance(place.children, dict):
        return place.children.get(part)
    if place.children is None or not (part.isascii() and part.isdecimal() and len(part) < 10):
        return None
    index = int(part)
    return place.children[index] if index < len(place.children) else None
