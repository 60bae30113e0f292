"""JSON Schemas of strangers held against JSON of strangers: nothing is fetched, and the work is bounded.

The engine is `jsonschema`, loaded when first needed. Its keywords are wrapped to count what they do; those that search with
regular expressions or compare each with each are replaced by ones within bounds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from selftune_build.limits import CHECK_SCHEMA_CHARACTERS, CHECK_SCHEMA_STEPS
from selftune_build.pattern import Patience, PatternError, PatternTimeout, compile_pattern
from selftune_build.reading.document import pointer_of
from selftune_build.reading.schema import unique_items

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

Keyword = Callable[[Any, Any, Any, Any], "Iterator[ValidationError] | None"]

_NOT_BOUNDED = ("unevaluatedProperties", "unevaluatedItems")
"""Keywords whose work the engine does where it cannot be counted."""
_DATA = frozenset({"const", "enum", "default", "examples"})
"""Keywords that hold data, in which nothing is a keyword."""
_KNOWN = ("#", "http://json-schema.org/", "https://json-schema.org/")
"""How references begin that lead nowhere else: into the schema itself, and to what the engine brings along."""
_UNIT = 64
_MESSAGE_CHARACTERS = 300


class SchemaError(ValueError):
    """The schema cannot be used."""


class TooMuchWork(Exception):
    """The schema asks for more work than is done for one check; it says nothing about the data."""


class Misfit(Struct, frozen=True):
    """The first place where data does not fit: its JSON Pointer, and why."""

    pointer: str
    message: str


def check_schema(schema: Any) -> None:
    """Nothing for a schema that can be used. Raises SchemaError with the reason for any other."""
    from jsonschema.exceptions import SchemaError as Invalid
    from jsonschema.validators import validator_for

    if len(json.dumps(schema)) > CHECK_SCHEMA_CHARACTERS:
        raise SchemaError(f"it is longer than {CHECK_SCHEMA_CHARACTERS} characters")
    closed = all(name != "$id" for name, _ in _keywords(schema))
    for name, value in _keywords(schema):
        _check_keyword(name, value)
        if name == "$ref" and closed and isinstance(value, str) and not value.startswith(_KNOWN):
            raise SchemaError(f"the reference {value[:60]!r} leads out of it, and nothing is fetched")
    draft: Any = validator_for(schema, default=_latest())
    try:
        draft.check_schema(schema, format_checker=None)
    except Invalid as problem:
        raise SchemaError(f"{pointer_of(problem.absolute_path) or 'it'}: {problem.message[:_MESSAGE_CHARACTERS]}") from None
    except RecursionError:
        raise SchemaError("it is nested too deep") from None


def misfit(schema: Any, data: Any) -> Misfit | None:
    """The first place where data does not fit a schema, None where it fits.

    Raises SchemaError for a reference that leads nowhere in the schema (nothing is ever fetched), TooMuchWork, PatternError
    and PatternTimeout.
    """
    from referencing import Registry

    try:
        error = next(_bounded(schema, data)(schema, registry=Registry()).iter_errors(data), None)
    except (TooMuchWork, PatternError, PatternTimeout):
        raise
    except RecursionError:
        raise TooMuchWork("it refers to itself without end") from None
    except Exception as problem:  # what the engine makes of a reference that leads nowhere is of many types
        raise SchemaError(f"it cannot be followed: {problem}") from None
    return None if error is None else Misfit(pointer_of(error.absolute_path), error.message[:_MESSAGE_CHARACTERS])


def _keywords(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every keyword in a schema and below it, with its value. Depth is bounded by whoever read it."""
    if isinstance(schema, list):
        for item in schema:
            yield from _keywords(item)
    elif isinstance(schema, dict):
        for name, value in schema.items():
            yield name, value
            yield from () if name in _DATA else _keywords(value)


def _check_keyword(name: str, value: Any) -> None:
    if name in _NOT_BOUNDED and not isinstance(value, dict | bool):
        return  # a property of this name
    if name in _NOT_BOUNDED:
        raise SchemaError(f"`{name}` is not read here; write `additionalProperties` or `items`")
    patterns = [value] if name == "pattern" and isinstance(value, str) else []
    patterns += value if name == "patternProperties" and isinstance(value, dict) else []
    for pattern in patterns:
        try:
            compile_pattern(pattern, lines=False)
        except PatternError as problem:
            raise SchemaError(f"the pattern {pattern[:60]!r} cannot be used: {problem}") from None


def _latest() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator


def _bounded(schema: Any, data: Any) -> Any:
    """The class of validators of the draft that the schema names (2020-12 where it names none), within bounds."""
    from jsonschema.validators import extend, validator_for

    work = _Work(data)
    draft = validator_for(schema, default=_latest())
    ours: dict[str, Keyword] = {
        "pattern": work.pattern,
        "patternProperties": work.pattern_properties,
        "additionalProperties": work.additional_properties,
        "uniqueItems": work.unique_items,
    }
    keywords = {**draft.VALIDATORS, **{name: keyword for name, keyword in ours.items() if name in draft.VALIDATORS}}
    make: Any = extend
    return make(draft, {name: work.counting(name, keyword) for name, keyword in keywords.items()})


class _Work:
    """What one validation may do, and the keywords that would do more. Looking at a value costs what it is long."""

    def __init__(self, data: Any) -> None:
        self._left = CHECK_SCHEMA_STEPS
        self._patience = Patience()
        self._sizes: dict[int, int] = {}
        self._measure(data)

    def _measure(self, value: Any) -> int:
        """Characters of a value, more or less; kept for containers, which stay alive as long as the data."""
        if isinstance(value, dict):
            size = sum(len(key) + self._measure(item) for key, item in value.items()) + 1
        elif isinstance(value, list):
            size = sum(map(self._measure, value)) + 1
        else:
            return len(value) if isinstance(value, str) else 1
        self._sizes[id(value)] = size
        return size

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise TooMuchWork(f"it takes more than {CHECK_SCHEMA_STEPS} steps")

    def counting(self, name: str, keyword: Keyword) -> Keyword:
        """The keyword, paid for when it is asked: an error it finds quotes the value, so that size counts."""

        def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError] | None:
            size = self._sizes.get(id(instance)) or (len(instance) if isinstance(instance, str) else 1)
            self._spend((1 + size // _UNIT) * (len(value) if name == "enum" else 1))
            return keyword(validator, value, instance, schema)

        return counted

    def pattern(self, validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
        """`pattern`, with the searches of all patterns under one limit of time."""
        from jsonschema.exceptions import ValidationError

        if isinstance(instance, str) and not self._patience.search(pattern, instance):
            yield ValidationError(f"{instance[:60]!r} does not match {pattern!r}")

    def pattern_properties(self, validator: Any, patterns: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        """`patternProperties`, likewise."""
        for pattern, subschema in patterns.items() if isinstance(instance, dict) else ():
            self._spend(len(instance))
            for name, item in instance.items():
                if self._patience.search(pattern, name):
                    yield from validator.descend(item, subschema, path=name, schema_path=pattern)

    def additional_properties(self, validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        """`additionalProperties`, likewise."""
        from jsonschema.exceptions import ValidationError

        patterns = list(schema.get("patternProperties", ()))
        for name in instance if isinstance(instance, dict) else ():
            self._spend(1 + len(patterns))
            if name in schema.get("properties", ()) or any(self._patience.search(pattern, name) for pattern in patterns):
                continue
            if isinstance(allowed, dict):
                yield from validator.descend(instance[name], allowed, path=name)
            elif not allowed:
                yield ValidationError(f"the property {name[:60]!r} is not expected")

    def unique_items(self, validator: Any, unique: bool, instance: Any, schema: Any) -> Iterator[ValidationError]:
        """`uniqueItems` in linear time."""
        return unique_items(validator, unique, instance, schema)
