"""Whether data fits one of our own schemas, told without loading jsonschema, which takes longer than most commands.

Only ever says that nothing is wrong. Whatever does not fit, and a keyword that is not known here, is left to jsonschema, which
finds the words for it (`schema.validate`). Keywords are those of JSON Schema 2020-12, `$ref` only into the schema's own `$defs`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from selftune_build.reading.unique import first_repeated

_NOTES = frozenset({"$schema", "$id", "$defs", "$comment", "title", "description", "default", "examples", "x-hints"})
_BESIDE = frozenset({"then", "else"})
"""Keywords that say nothing but beside another one."""
_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda data: isinstance(data, dict),
    "array": lambda data: isinstance(data, list),
    "string": lambda data: isinstance(data, str),
    "boolean": lambda data: isinstance(data, bool),
    "null": lambda data: data is None,
    "integer": lambda data: _is_number(data) and data == data // 1,
    "number": lambda data: _is_number(data),
}


def fits(data: Any, schema: Any, root: Mapping[str, Any]) -> bool:
    """Whether data surely fits a schema, whose references lead into `root`."""
    if isinstance(schema, bool):
        return schema
    for keyword, value in schema.items():
        if keyword not in _NOTES and keyword not in _BESIDE:
            test = _KEYWORDS.get(keyword)
            if test is None or not test(data, value, schema, root):
                return False
    return True


def _is_number(data: Any) -> bool:
    return isinstance(data, (int, float)) and not isinstance(data, bool)


def _type(data: Any, value: Any, _schema: Any, _root: Any) -> bool:
    names = value if isinstance(value, list) else [value]
    return any(_TYPES[name](data) for name in names)


def _equals(data: Any, value: Any, _schema: Any = None, _root: Any = None) -> bool:
    """Of scalars only; 1 is no truth value."""
    return not isinstance(value, (dict, list)) and isinstance(data, bool) == isinstance(value, bool) and bool(data == value)


def _enum(data: Any, value: Any, _schema: Any, _root: Any) -> bool:
    return any(_equals(data, each) for each in value)


def _reference(data: Any, value: Any, _schema: Any, root: Any) -> bool:
    place, _, name = value.rpartition("/")
    return place == "#/$defs" and fits(data, root["$defs"][name], root)


def _condition(data: Any, value: Any, schema: Any, root: Any) -> bool:
    """Only where it is certain which branch applies: what is not surely a fit may be one."""
    if not _is_known(value, root):
        return False
    return fits(data, schema.get("then" if fits(data, value, root) else "else", True), root)


def _is_known(schema: Any, root: Any) -> bool:
    """Whether `fits` decides a schema either way: scalars behind properties, as conditions have them."""
    if isinstance(schema, bool):
        return True
    plain = {"properties", "required", "const", "enum", "type", *_NOTES}
    inner = schema.get("properties", {}).values()
    values = (*schema.get("enum", ()), schema.get("const"))
    return (
        plain >= schema.keys()
        and not any(isinstance(value, (dict, list)) for value in values)
        and all(_is_known(each, root) for each in inner)
    )


def _one_of(data: Any, value: Any, _schema: Any, root: Any) -> bool:
    return all(_is_known(each, root) for each in value) and sum(fits(data, each, root) for each in value) == 1


def _properties(data: Any, value: Any, _schema: Any, root: Any) -> bool:
    return not isinstance(data, dict) or all(fits(data[name], each, root) for name, each in value.items() if name in data)


def _pattern_properties(data: Any, value: Any, _schema: Any, root: Any) -> bool:
    if not isinstance(data, dict):
        return True
    return all(
        fits(item, each, root) for pattern, each in value.items() for name, item in data.items() if re.search(pattern, name)
    )


def _additional_properties(data: Any, value: Any, schema: Any, root: Any) -> bool:
    if not isinstance(data, dict):
        return True
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    more = (name for name in data if name not in known and not any(re.search(pattern, name) for pattern in patterns))
    return all(fits(data[name], value, root) for name in more)


def _dependent(data: Any, value: Any, _schema: Any, _root: Any) -> bool:
    return not isinstance(data, dict) or all(set(needs) <= data.keys() for name, needs in value.items() if name in data)


def _of(kind: type, test: Callable[[Any, Any], bool]) -> Callable[[Any, Any, Any, Any], bool]:
    """A keyword that only says something about data of one kind."""
    return lambda data, value, _schema, _root: not isinstance(data, kind) or test(data, value)


def _of_number(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any, Any, Any], bool]:
    return lambda data, value, _schema, _root: not _is_number(data) or test(data, value)


_KEYWORDS: Mapping[str, Callable[[Any, Any, Any, Any], bool]] = {
    "type": _type,
    "const": _equals,
    "enum": _enum,
    "$ref": _reference,
    "if": _condition,
    "oneOf": _one_of,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "dependentRequired": _dependent,
    "propertyNames": lambda data, value, _schema, root: (
        not isinstance(data, dict) or all(fits(name, value, root) for name in data)
    ),
    "items": lambda data, value, _schema, root: not isinstance(data, list) or all(fits(item, value, root) for item in data),
    "required": _of(dict, lambda data, value: set(value) <= data.keys()),
    "minProperties": _of(dict, lambda data, value: len(data) >= value),
    "maxProperties": _of(dict, lambda data, value: len(data) <= value),
    "minItems": _of(list, lambda data, value: len(data) >= value),
    "maxItems": _of(list, lambda data, value: len(data) <= value),
    "uniqueItems": _of(list, lambda data, value: not value or first_repeated(data) is None),
    "minLength": _of(str, lambda data, value: len(data) >= value),
    "maxLength": _of(str, lambda data, value: len(data) <= value),
    "pattern": _of(str, lambda data, value: re.search(value, data) is not None),
    "minimum": _of_number(lambda data, value: data >= value),
    "maximum": _of_number(lambda data, value: data <= value),
    "exclusiveMaximum": _of_number(lambda data, value: data < value),
    "exclusiveMinimum": _of_number(lambda data, value: data > value),
}
