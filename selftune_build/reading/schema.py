"""JSON Schemas of our formats, and a document held against one (jsonschema, loaded when first needed)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selftune_build.errors import InputError
from selftune_build.model.location import Location
from selftune_build.reading.document import Document, Implicit
from selftune_build.reading.fitting import fits
from selftune_build.reading.unique import first_repeated

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

    from selftune_build.reading.schema_words import Complaint


def schema(name: str) -> dict[str, Any]:
    """The schema of a format, such as `selftune-manifest-1`. Raises FileNotFoundError for a name that we do not ship."""
    data: dict[str, Any] = json.loads(_schema_text(name))
    return data


def validate(document: Document, name: str) -> None:
    """Nothing for a document that fits the schema.

    Raises InputError for the first fault in the order of the file, with line, column, pointer and a hint. A plain scalar
    that other readers take for a boolean, date or number is a fault wherever it stands, also where text is allowed.
    """
    shape = schema(name)
    complaints = [] if fits(document.data, shape, shape) else _complaints(document.data, name)
    faults = [(_place(document, complaint), complaint) for complaint in complaints]
    known = {complaint.pointer for complaint in complaints}
    faults += [(document.locate(item.pointer), _unquoted(item)) for item in document.implicit if item.pointer not in known]
    if faults:
        at, complaint = min(faults, key=lambda fault: (fault[0].line or 0, fault[0].column or 0))
        raise InputError(complaint.message, at=at, hint=complaint.hint, code=f"schema-{complaint.code}")


@lru_cache(maxsize=8)
def _schema_text(name: str) -> str:
    here = Path(__file__).parents[1]
    packaged = here / "_schemas" / f"{name}.json"  # in a wheel; `importlib.resources` takes longer than all else that reads it
    return (packaged if packaged.is_file() else here.parent / "schemas" / packaged.name).read_text(encoding="utf-8")


def _complaints(data: Any, name: str) -> list[Complaint]:
    from selftune_build.reading.schema_words import words  # what fits needs none

    return [words(error) for error in _errors(data, name)]


def _errors(data: Any, name: str) -> Iterator[ValidationError]:
    from jsonschema.exceptions import best_match

    for error in _validator(name).iter_errors(data):
        yield best_match([error]) or error


@lru_cache(maxsize=8)
def _validator(name: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    make: Any = extend
    checked: Draft202012Validator = make(Draft202012Validator, {"uniqueItems": unique_items})(schema(name))
    return checked


def unique_items(validator: object, unique: bool, instance: Any, schema: object) -> Iterator[ValidationError]:
    """In linear time: the stock keyword compares every pair of a list of mixed types."""
    from jsonschema.exceptions import ValidationError

    text = first_repeated(instance) if unique and isinstance(instance, list) else None
    if text is not None:
        yield ValidationError(f"{text[:60]} stands twice")


def _place(document: Document, complaint: Complaint) -> Location:
    return document.locate_key(complaint.pointer) if complaint.at_key else document.locate(complaint.pointer)


def _unquoted(item: Implicit) -> Complaint:
    from selftune_build.reading.schema_words import Complaint

    message = f"`{item.text[:60]}` without quotes is a {item.kind} to some readers"
    return Complaint("unquoted", message, f"quote it: {json.dumps(item.text[:60])}", item.pointer)
