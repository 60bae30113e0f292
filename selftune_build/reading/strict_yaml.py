"""YAML as plain data: read from parser events, so that limits hold before anything is built (PyYAML's C parser)."""

from __future__ import annotations

from typing import Any

import yaml
from msgspec import Struct

from selftune_build.errors import InputError
from selftune_build.limits import (
    DATA_DEPTH,
    FINDINGS_PER_FILE,
    KEY_CHARACTERS,
    YAML_BYTES,
    YAML_NODES,
    YAML_SCALAR_CHARACTERS,
)
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.reading.document import Document, Implicit, Place, pointer_of
from selftune_build.reading.scalars import resolve
from selftune_build.reading.text import UNWANTED_VALUE, Text, check_size, decode, refuse_unwanted, tolerate_unwanted
from selftune_build.reading.yaml_errors import FLATTEN, TOO_DEEP, explain

try:
    from yaml.cyaml import CParser as _Parser  # type: ignore[attr-defined]  # the stubs forgot to export it
except ImportError:  # PyYAML built without libyaml: same events, slower

    class _Parser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):  # type: ignore[no-redef]  # one name, two origins
        """The pure Python parser, put together as PyYAML's own loaders do."""

        def __init__(self, text: str) -> None:
            yaml.reader.Reader.__init__(self, text)
            yaml.scanner.Scanner.__init__(self)
            yaml.parser.Parser.__init__(self)


_Event = Any
"""An event of either parser: their classes have no common type that knows the fields."""


class _Anchor(Struct, frozen=True):
    """A value with a name, where it stands, and how much it grows by wherever an alias stands for it."""

    data: Any
    place: Place
    nodes: int
    characters: int


_NOTHING = _Anchor(None, Place(1, 1), 0, 0)


def load(
    content: bytes, path: str, *, wild: bool = False, references: bool = False, first_line: int = 1, limit: int = YAML_BYTES
) -> Document:
    """The one document of a YAML file as plain data with places.

    Ours (`wild` false): anchors, aliases, merge keys, tags, duplicate keys, directives, control characters and a byte order
    mark are refused, and what YAML 1.1 and 1.2 read differently stays text, listed under `implicit`. Wild, for files that
    others wrote: duplicate keys (the last wins), characters and implicit types become findings; aliases and tags are still
    refused. With `references` an alias of a value stands for it; what all of them stand for counts towards the limits, so that
    no file grows beyond them. `first_line` is the number of the first line where `content` is a part of a file.
    Raises InputError with line, column, pointer and hint, whatever the bytes are.
    """
    check_size(content, path, limit)
    text = decode(content, path, first_line=first_line)
    if wild:
        source = tolerate_unwanted(text, path, prefix="yaml", first_line=first_line)
    else:
        refuse_unwanted(text, path)
        source = Text(text)
    reader = _Reader(source, path, wild, references, first_line)
    data, place = reader.document()
    return Document(path, data, lambda: place, tuple(reader.findings), tuple(reader.implicit))


class _Reader:
    """One pass over the events of one file."""

    def __init__(self, source: Text, path: str, wild: bool, references: bool, first_line: int) -> None:
        self._source, self._path, self._wild, self._first_line = source, path, wild, first_line
        self._references = references
        self._anchors: dict[str, _Anchor] = {}
        self._trail: list[str | int] = []
        self._nodes = self._characters = 0
        self.findings = list(source.findings)
        self.implicit: list[Implicit] = []

    def document(self) -> tuple[Any, Place]:
        try:
            self._parser = _Parser(self._source.text)
            return self._only_document()
        except yaml.YAMLError as error:
            pointer = pointer_of(self._trail)
            raise explain(error, self._source.text, self._path, pointer=pointer, first_line=self._first_line) from None

    def _next(self) -> _Event:
        return self._parser.get_event()

    def _only_document(self) -> tuple[Any, Place]:
        self._next()
        start = self._next()
        if isinstance(start, yaml.StreamEndEvent):
            return None, Place(self._first_line, 1)
        if start.version or start.tags:
            self._refuse(start, "directive", "YAML directives are not read", "remove the line that starts with `%`")
        data, place = self._node(self._next())
        self._next()
        after = self._next()
        if isinstance(after, yaml.DocumentStartEvent):
            self._refuse(after, "many-documents", "a second YAML document starts here", "keep one, remove the `---`")
        return data, place

    def _node(self, event: _Event) -> tuple[Any, Place]:
        if self._references and isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if not self._references or event.tag is not None:
            self._refuse_references(event)
        nodes, characters = self._nodes, self._characters
        self._grow(event, 1, 0)
        data, place = self._value(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(data, place, self._nodes - nodes, self._characters - characters)
        return data, place

    def _value(self, event: _Event) -> tuple[Any, Place]:
        place = self._place(event)
        if isinstance(event, yaml.ScalarEvent):
            self._grow(event, 0, len(event.value))
            return self._scalar(event), place
        if len(self._trail) >= DATA_DEPTH:
            self._refuse(event, "too-deep", TOO_DEEP, FLATTEN)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(place), place
        return self._mapping(place), place

    def _alias(self, event: _Event) -> tuple[Any, Place]:
        found = self._anchors.get(event.anchor, _NOTHING)
        if found is _NOTHING:
            self._refuse(event, "alias", "the alias stands for nothing before it", "write the value out")
        self._grow(event, found.nodes, found.characters)
        return found.data, Place(found.place.line, found.place.column, children=found.place.children)

    def _grow(self, event: _Event, nodes: int, characters: int) -> None:
        self._nodes += nodes
        self._characters += characters
        if self._nodes > YAML_NODES or self._characters > YAML_BYTES:
            self._refuse(event, "too-many-nodes", f"more than {YAML_NODES:,} values", "split the file up")

    def _refuse_references(self, event: _Event) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._refuse(event, "alias", "aliases are not read", "write the value out, or quote a text that starts with `*`")
        if event.anchor is not None:
            self._refuse(event, "anchor", "anchors are not read", "remove it, or quote a text that starts with `&`")
        if event.tag is not None:
            self._refuse(event, "tag", "tags are not read", "remove it, or quote a text that starts with `!`")

    def _scalar(self, event: _Event) -> Any:
        text = self._text(event)
        if event.style:
            return text
        value, taken_for = resolve(text, wild=self._wild)
        if taken_for and self._wild:
            self._note(event, f"implicit-{taken_for}", f"`{text[:60]}` is a {taken_for} to some readers and text to others")
        elif taken_for:
            self.implicit.append(Implicit(pointer_of(self._trail), taken_for, text))
        return value

    def _text(self, event: _Event) -> str:
        text: str = event.value
        if len(text) > YAML_SCALAR_CHARACTERS:
            self._refuse(event, "too-long", f"more than {YAML_SCALAR_CHARACTERS:,} characters", "put it into a file")
        if event.style == '"':
            self._check_escapes(event, text)
        return text.translate(self._source.restore) if self._source.restore else text

    def _check_escapes(self, event: _Event, text: str) -> None:
        found = UNWANTED_VALUE.search(text)
        if not found:
            return
        message = f"an escape makes the character U+{ord(found.group()):04X}"
        if not self._wild or "\ud800" <= found.group() <= "\udfff":
            self._refuse(event, "unwanted-character", message, "remove the escape")
        self._note(event, "control-character", message, Severity.WARNING)

    def _sequence(self, place: Place) -> list[Any]:
        values: list[Any] = []
        places: list[Place] = []
        place.children = places
        event = self._next()
        while not isinstance(event, yaml.SequenceEndEvent):
            self._trail.append(len(values))
            value, below = self._node(event)
            values.append(value)
            places.append(below)
            self._trail.pop()
            event = self._next()
        return values

    def _mapping(self, place: Place) -> dict[str, Any]:
        values: dict[str, Any] = {}
        places: dict[str, Place] = {}
        place.children = places
        event = self._next()
        while not isinstance(event, yaml.MappingEndEvent):
            key = self._key(event)
            self._trail.append(key)
            if key in values:
                self._duplicate(event, key, places[key])
            values[key], below = self._node(self._next())
            spot = self._place(event)
            below.key_line, below.key_column = spot.line, spot.column
            places[key] = below
            self._trail.pop()
            event = self._next()
        return values

    def _key(self, event: _Event) -> str:
        if not isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)):
            hint = 'quote a value that starts with `{` or `[`: "{{ … }}"'
            self._refuse(event, "key-not-text", "a list or mapping stands where a key is expected", hint)
        self._refuse_references(event)
        if event.value == "<<" and not event.style:
            self._refuse(event, "merge-key", "merge keys are not read", "write the merged keys out")
        key = self._text(event)
        if len(key) > KEY_CHARACTERS:
            self._refuse(event, "too-long", f"a key of more than {KEY_CHARACTERS:,} characters", "use a short key")
        value, taken_for = (key, None) if event.style else resolve(key)
        if taken_for or not isinstance(value, str):
            self._key_not_text(event, key, taken_for or "value that is not text")
        return key

    def _key_not_text(self, event: _Event, key: str, kind: str) -> None:
        message = f"the key `{key[:60]}` is a {kind} to some readers"
        if not self._wild:
            self._refuse(event, "key-not-text", message, f'quote it: "{key[:60]}"')
        self._note(event, "key-not-text", message)

    def _duplicate(self, event: _Event, key: str, first: Place) -> None:
        message = f"the key `{key[:60]}` stands twice; the first is in line {first.key_line}"
        if not self._wild:
            self._refuse(event, "duplicate-key", message, "remove or rename one of the two")
        self._note(event, "duplicate-key", message, Severity.WARNING)

    def _place(self, event: _Event) -> Place:
        return Place(event.start_mark.line + self._first_line, event.start_mark.column + 1)

    def _location(self, event: _Event) -> Location:
        place = self._place(event)
        return Location(self._path, place.line, place.column, pointer_of(self._trail))

    def _refuse(self, event: _Event, code: str, message: str, hint: str) -> None:
        raise InputError(message, at=self._location(event), hint=hint, code=f"yaml-{code}")

    def _note(self, event: _Event, code: str, message: str, severity: Severity = Severity.NOTE) -> None:
        if len(self.findings) < FINDINGS_PER_FILE:
            hint = "quote it where text is meant" if severity is Severity.NOTE else None
            self.findings.append(Finding(f"yaml-{code}", severity, message, self._location(event), hint))
