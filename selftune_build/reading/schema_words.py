"""What a schema complains about, in words of the person who wrote the file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from selftune_build.limits import INTEGER_DIGITS
from selftune_build.reading.document import pointer_of
from selftune_build.reading.scalars import resolve

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_ARTICLES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


class Complaint(Struct, frozen=True):
    """A fault of a document: what is wrong, what to do, and where; `at_key` points at the key instead of the value."""

    code: str
    message: str
    hint: str
    pointer: str
    at_key: bool = False


def words(error: ValidationError) -> Complaint:
    """The complaint of one schema keyword. `x-hints` beside the keyword in the schema may hold a hint for it."""
    keyword = str(error.validator)
    if keyword == "additionalProperties":
        return _unknown_key(error)
    message, hint = _message(error, keyword)
    return Complaint(keyword, message, _own_hint(error, keyword) or hint, pointer_of(error.absolute_path))


def _message(error: ValidationError, keyword: str) -> tuple[str, str]:
    bound, value = _bound(error), _instance(error)
    shown = _shown(value)
    if keyword == "type":
        return _wrong_type(bound, value)
    if keyword == "const":
        return f"expected {_shown(bound)}, found {_kind(value)}", f"write {_shown(bound)}"
    if keyword == "enum":
        return _not_an_option(bound, value)
    if keyword in ("required", "dependentRequired"):
        wanted = bound if keyword == "required" else [key for names in bound.values() for key in names]
        missing = next(key for key in wanted if key not in value)
        return f"`{missing}` is missing", f"add `{missing}: …`"
    if keyword == "pattern":
        return f"{shown} does not have the form that is expected here", _description(error)
    limits = {
        "minimum": (f"{shown} is less than {bound}", f"write a number from {bound} up"),
        "maximum": (f"{shown} is more than {bound}", f"write a number up to {bound}"),
        "exclusiveMaximum": (f"{shown} is not less than {bound}", f"write a number below {bound}"),
        "exclusiveMinimum": (f"{shown} is not more than {bound}", f"write a number above {bound}"),
        "minLength": (
            f"the text has fewer than {bound} characters" if bound != 1 else "the text is empty",
            "complete it, or remove the key",
        ),
        "maxLength": (f"the text has more than {bound} characters", "shorten it"),
        "minItems": (
            f"the list has fewer than {bound} elements" if bound != 1 else "the list is empty",
            "add some, or remove the key",
        ),
        "maxItems": (f"the list has more than {bound} elements", "shorten it, for instance with a glob"),
        "maxProperties": (f"more than {bound} keys", "remove some"),
        "uniqueItems": (error.message, "remove one of the two"),
    }
    return limits.get(keyword, (f"{shown} does not fit `{keyword}`", _description(error)))


def _wrong_type(wanted: str | list[str], value: Any) -> tuple[str, str]:
    kinds = [wanted] if isinstance(wanted, str) else wanted
    message = f"expected {' or '.join(_ARTICLES[kind] for kind in kinds)}, found {_kind(value)}"
    return message, _type_hint(kinds, value)


def _type_hint(kinds: list[str], value: Any) -> str:
    if value is None:
        return "write a value after the colon, or remove the key"
    if "string" in kinds and isinstance(value, (bool, int, float)):
        return f"quote it: {json.dumps(_shown(value))}"
    if "array" in kinds:
        entries = "begin each entry with `- `" if isinstance(value, dict) else f"[{str(value)[:60]}]"
        return f"write a list: {entries}"
    if "boolean" in kinds:
        return "write `true` or `false`"
    if "object" in kinds:
        return "write `key: value` lines below it, indented, or {key: value}"
    meaning, taken_for = resolve(value) if isinstance(value, str) else (value, None)
    if taken_for == "number":
        return f"write decimal digits only, at most {INTEGER_DIGITS} of them"
    if isinstance(value, str) and not isinstance(meaning, str):
        return f"remove the quotes: {value}"
    return f"write {_ARTICLES[kinds[0]]}"


def _not_an_option(options: list[Any], value: Any) -> tuple[str, str]:
    listed = ", ".join(_shown(option) for option in options)
    from selftune_build.meant import meant  # only who mistypes pays for it

    texts = [option for option in options if isinstance(option, str)]
    close = meant(value, texts) if isinstance(value, str) else None
    hint = f"did you mean `{close}`? " if close is not None else ""
    return f"{_shown(value)} is not known here", f"{hint}write {'one of ' if len(options) > 1 else ''}{listed}"


def _unknown_key(error: ValidationError) -> Complaint:
    known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
    patterns = error.schema.get("patternProperties", {}) if isinstance(error.schema, dict) else {}
    key = next(key for key in _instance(error) if key not in known and not any(re.search(pattern, key) for pattern in patterns))
    named = [part for part in error.absolute_path if isinstance(part, str)][-1:]  # of an entry of a list its pointer tells
    where = f" in `{named[0]}`" if named else ""
    pointer = pointer_of([*error.absolute_path, key])
    hint = _key_hint(error, key, known)
    return Complaint("unknown-key", f"unknown key `{key[:60]}`{where}", hint, pointer, at_key=True)


def _key_hint(error: ValidationError, key: str, known: Iterable[str]) -> str:
    from selftune_build.meant import meant

    spellings = (key.lower().replace("-", "_"), key.lower())
    close = next(filter(None, (meant(spelling, known) for spelling in spellings)), None)
    if close is not None:
        return f"did you mean `{close}`?"
    own = _own_hint(error, "additionalProperties")
    if own:
        return own
    return f"known keys are {', '.join(f'`{name}`' for name in known)}" if known else "remove it"


def _bound(error: ValidationError) -> Any:
    """The value of the keyword in the schema; its type depends on the keyword."""
    return error.validator_value


def _instance(error: ValidationError) -> Any:
    """The value that was refused; the stubs allow for errors that belong to none."""
    return error.instance


def _own_hint(error: ValidationError, keyword: str) -> str | None:
    hints = error.schema.get("x-hints", {}) if isinstance(error.schema, dict) else {}
    hint = hints.get(keyword)
    return str(hint) if hint else None


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a mapping"
    if isinstance(value, bool):
        return f"`{_shown(value)}`"
    return f"the text {_shown(value)}" if isinstance(value, str) else f"the number {_shown(value)}"


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f"`{value[:60]}`" if len(value) <= 60 else f"`{value[:59]}…`"
    return json.dumps(value)[:60]


def _description(error: ValidationError) -> str:
    description = error.schema.get("description") if isinstance(error.schema, dict) else None
    return str(description) if description else "see the schema of this format"
