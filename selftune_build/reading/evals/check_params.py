"""Parameters of checks as keys can hold them: no fractions, no names of files whose bytes count, nothing that cannot be used."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from selftune_build.errors import InputError
from selftune_build.limits import EXPECTED_BYTES
from selftune_build.model.location import Location
from selftune_build.pattern import PatternError, compile_pattern
from selftune_build.reading.evals.case_files import package_file
from selftune_build.reading.evals.content import has_float
from selftune_build.reading.evals.source import Source
from selftune_build.relpath import safe

_Params = dict[str, Any]


def portable(kind: str, params: Mapping[str, Any], source: Source, at: Location) -> _Params:
    """The parameters in the one spelling that enters keys and that `checks` judges.

    Raises InputError for a query, schema or pattern that cannot be used, and for an expected file that is not there.
    """
    prepare = _PREPARED.get(kind)
    return prepare(dict(params), source, at) if prepare else dict(params)


def _json_path(params: _Params, source: Source, at: Location) -> _Params:
    from selftune_build.reading.json_query import QueryError, check_query

    asked = [name for name in ("equals", "pattern", "exists") if name in params]
    if len(asked) > 1:
        raise InputError(f"a path has one of {' and '.join(asked)}", at=at, hint="make a check of each", code="bad-check")
    try:
        check_query(params["path"])
    except QueryError as problem:
        raise InputError(
            f"the path cannot be used: {problem}", at=at, hint="start it with `$` or `/`", code="bad-check"
        ) from None
    return _without_floats(params, "equals")


def _json_schema(params: _Params, source: Source, at: Location) -> _Params:
    from selftune_build.reading.json_schema import SchemaError, check_schema

    try:
        check_schema(params["schema"])
    except SchemaError as problem:
        raise InputError(f"the schema cannot be used: {problem}", at=at, code="bad-check") from None
    return _without_floats(params, "schema")


def _file_equals(params: _Params, source: Source, at: Location) -> _Params:
    """The bytes of `expected` in its place, as `text` or `base64`: what is expected is then part of the check."""
    path = params.pop("expected", None)
    return params if path is None else {**params, **expected_content(source, path, at)}


def expected_content(source: Source, path: str, at: Location) -> dict[str, str]:
    """What a file of the package holds, as a parameter of `file-equals`. Raises InputError where there is none."""
    content = package_file(source.read, safe(path, at=at))
    if content is None:
        hint = "paths are relative to the folder with SKILL.md"
        raise InputError(f"there is no file `{path}` in the package", at=at, hint=hint, code="missing-file")
    if len(content) > EXPECTED_BYTES:
        raise InputError(
            f"`{path}` has more than {EXPECTED_BYTES} bytes", at=at, hint="check its digest with a command", code="bad-check"
        )
    try:
        return {"text": content.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def _decimal(name: str) -> Callable[[_Params, Source, Location], _Params]:
    def prepared(params: _Params, source: Source, at: Location) -> _Params:
        amount = Decimal(str(params[name])).normalize()
        return {**params, name: f"{amount:f}"}

    return prepared


def _tool_count(params: _Params, source: Source, at: Location) -> _Params:
    if params.get("min", 0) > params.get("max", params.get("min", 0)):
        raise InputError("`min` is more than `max`", at=at, hint="no number of calls fits both", code="bad-check")
    return params


def _arguments(params: _Params, source: Source, at: Location) -> _Params:
    for pattern in params.get("arguments", {}).values():
        try:
            compile_pattern(pattern)
        except PatternError as problem:
            raise InputError(f"the pattern cannot be used: {problem}", at=at, code="bad-pattern") from None
    return params


def _without_floats(params: _Params, name: str) -> _Params:
    """A value with fractions as JSON text under a name of its own: no key holds a float."""
    if not has_float(params.get(name)):
        return params
    rest = {key: value for key, value in params.items() if key != name}
    return {**rest, f"{name}-json": json.dumps(params[name], sort_keys=True, ensure_ascii=False)}


_PREPARED: dict[str, Callable[[_Params, Source, Location], _Params]] = {
    "json-path": _json_path,
    "json-schema": _json_schema,
    "file-equals": _file_equals,
    "score": _decimal("min"),
    "max-cost": _decimal("usd"),
    "tool-count": _tool_count,
    "tool-called": _arguments,
    "tool-not-called": _arguments,
}
