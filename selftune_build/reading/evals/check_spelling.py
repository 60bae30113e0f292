"""How checks are written in our own eval files: one mapping with one key, the kind; a plain value where one says it all."""

from __future__ import annotations

from typing import Any

from selftune_build.errors import InputError
from selftune_build.model.case import Check
from selftune_build.model.location import Location
from selftune_build.pattern import PatternError, compile_pattern
from selftune_build.reading.document import pointer_of
from selftune_build.reading.evals.case_files import package_file
from selftune_build.reading.evals.content import has_float
from selftune_build.reading.evals.source import Source
from selftune_build.relpath import is_glob, safe, safe_glob

PLAIN_VALUE = {
    "contains": "text",
    "not-contains": "text",
    "regex": "pattern",
    "not-regex": "pattern",
    "stderr-contains": "text",
    "exit": "status",
    "file-exists": "path",
    "file-absent": "path",
    "skill-invoked": "skill",
    "skill-not-invoked": "skill",
    "tool-called": "name",
    "tool-not-called": "name",
    "sentence": "text",
    "pairwise": "text",
}
"""Kind → the parameter that a plain value stands for."""

SCRIPT_KINDS = frozenset({"exit", "stderr-contains"})
"""Kinds that only a script case can have."""

AGENT_KINDS = frozenset({"skill-invoked", "skill-not-invoked", "tool-called", "tool-not-called", "pairwise"})
"""Kinds that only a case with a prompt can have."""

_SAYS_NOTHING: tuple[tuple[str, Any], ...] = (("ignore-case", False), ("exit", 0), ("skill", True), ("or-equal", False))
"""Parameters at their default: left out, so that writing them does not change a key."""


def declared_checks(source: Source, entries: list[dict[str, Any]], pointer: str, *, script: bool) -> tuple[Check, ...]:
    """The checks of a case whose shape the schema has accepted.

    Raises InputError with its place for an unsafe path, a pattern that cannot be used, and a kind that does not fit the case.
    """
    return tuple(_declared_check(source, entry, f"{pointer}/{index}", script) for index, entry in enumerate(entries))


def _declared_check(source: Source, entry: dict[str, Any], pointer: str, script: bool) -> Check:
    ((kind, value),) = entry.items()
    place = pointer + pointer_of([kind])
    at = source.document.locate(place)
    _refuse_misfit(kind, script, at)
    if Check(kind).is_supplied:
        return _supplied_check(source, kind, value, place, at)
    params = dict(value) if isinstance(value, dict) else {PLAIN_VALUE[kind]: value}
    params = {name: item for name, item in params.items() if (name, item) not in _SAYS_NOTHING}
    return _checked(source, Check(kind, params, origin=source.origin(place)), at)


def _supplied_check(source: Source, kind: str, value: Any, place: str, at: Location) -> Check:
    """As it is written: only the plugin knows what it means, and keys have to be the same where the plugin is not installed."""
    if has_float(value):
        raise InputError("a check of a plugin holds no fractions: their text is not portable", at=at, hint="quote the number")
    return Check(kind, value if isinstance(value, dict) else {"value": value}, origin=source.origin(place))


def _checked(source: Source, check: Check, at: Location) -> Check:
    params = dict(check.params)
    if "pattern" in params:
        _check_pattern(params["pattern"], params.get("ignore-case", False), at)
    if "path" in params:
        globs = check.kind in ("file-exists", "file-absent") and is_glob(params["path"])
        params["path"] = (safe_glob if globs else safe)(params["path"], at=at)
    if "criteria" in params:
        params["criteria"] = [_criterion(entry) for entry in params["criteria"]]
    files: tuple[str, ...] = ()
    if "run" in params:
        params["run"], files = command_line(source, params["run"])
    return Check(check.kind, params, files, check.origin)


def _criterion(entry: str | dict[str, Any]) -> dict[str, Any]:
    """A criterion of a rubric; a plain text weighs 1, and a weight of 1 says nothing."""
    given = {"text": entry} if isinstance(entry, str) else entry
    return {name: value for name, value in given.items() if (name, value) != ("weight", 1)}


def command_line(source: Source, argv: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """The elements, package files in their normal spelling, and which of them are package files.

    The first element is one only where it holds a slash: a bare name is a program of the system, as for a shell.
    """
    spelled: list[str] = []
    files: list[str] = []
    for index, element in enumerate(argv):
        content = package_file(source.read, element) if index or "/" in element else None
        spelled.append(element if content is None else safe(element))
        files += [] if content is None else [spelled[-1]]
    return spelled, tuple(dict.fromkeys(files))


def _check_pattern(pattern: str, ignore_case: bool, at: Location) -> None:
    try:
        compile_pattern(pattern, ignore_case=ignore_case)
    except PatternError as problem:
        raise InputError(f"the pattern cannot be used: {problem}", at=at, code="bad-pattern") from None


def _refuse_misfit(kind: str, script: bool, at: Location) -> None:
    if kind in (AGENT_KINDS if script else SCRIPT_KINDS):
        wanted = "a case with `prompt`" if script else "a case with `run`"
        raise InputError(f"`{kind}` is a check for {wanted}", at=at, hint="use another kind of check", code="bad-check")
