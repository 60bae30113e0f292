"""How checks are written in our own eval files: a mapping with the kind as key; a plain value where one says it all.

Beside the kind may stand `id`, `weight` and `arm`.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from selftune_build.errors import InputError
from selftune_build.model.case import Arm, Check
from selftune_build.model.location import Location
from selftune_build.pattern import PatternError, compile_pattern
from selftune_build.reading.document import pointer_of
from selftune_build.reading.evals.case_files import package_file
from selftune_build.reading.evals.check_params import portable
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
    "tool-order": "names",
    "tool-sequence": "names",
    "max-turns": "value",
    "max-tokens": "value",
    "max-seconds": "value",
    "max-cost": "usd",
    "sentence": "text",
}
"""Kind → the parameter that a plain value stands for."""

SCRIPT_KINDS = frozenset({"exit", "stderr-contains"})
"""Kinds that only a script case can have."""

AGENT_KINDS = frozenset(
    {
        *("skill-invoked", "skill-not-invoked", "tool-called", "tool-not-called", "tool-count", "tool-order", "tool-sequence"),
        *("max-turns", "max-tokens", "max-cost"),
    }
)
"""Kinds that only a case with a prompt can have."""

SKILL_KINDS = frozenset({"skill-invoked", "skill-not-invoked"})
"""Kinds on the skill's own use, which nobody checks without the skill."""

BESIDE = frozenset({"id", "weight", "arm"})
"""Keys of a check that are no kinds."""

_AGENT_ARMS = (Arm.WITH_SKILL, Arm.WITHOUT_SKILL)

_SAYS_NOTHING: tuple[tuple[str, Any], ...] = (("ignore-case", False), ("exit", 0), ("skill", True), ("exists", True))
"""Parameters at their default: left out, so that writing them does not change a key."""


def declared_checks(source: Source, entries: list[dict[str, Any]], pointer: str, *, script: bool) -> tuple[Check, ...]:
    """The checks of a case whose shape the schema has accepted.

    Raises InputError with its place for an unsafe path, a pattern that cannot be used, and a kind that does not fit the case.
    """
    places = [f"{pointer}/{index}" for index in range(len(entries))]
    _refuse_equal_ids(source, entries, places)
    checks = (_declared_check(source, entry, place, script) for entry, place in zip(entries, places, strict=True))
    return tuple(map(_beside, checks, entries))


def _beside(check: Check, entry: dict[str, Any]) -> Check:
    """The check with what stands beside its kind; naming every arm that its case has says nothing."""
    return replace(check, id=entry.get("id"), weight=entry.get("weight", 1), arms=_arms(entry))


def _arms(entry: dict[str, Any]) -> tuple[Arm, ...] | None:
    declared = entry.get("arm", _AGENT_ARMS)
    arms = tuple(arm for arm in _AGENT_ARMS if arm in ([declared] if isinstance(declared, str) else declared))
    return None if arms == _AGENT_ARMS else arms


def _refuse_equal_ids(source: Source, entries: list[dict[str, Any]], places: list[str]) -> None:
    seen: set[str] = set()
    for entry, place in zip(entries, places, strict=True):
        if entry.get("id") in seen:
            at = source.document.locate(f"{place}/id")
            raise InputError(
                f"another check of the case has the id `{entry['id']}`", at=at, hint="give it another id", code="bad-id"
            )
        seen.update([entry["id"]] if "id" in entry else [])


def _kind(source: Source, entry: dict[str, Any], pointer: str) -> str:
    """The one key that is a kind. Raises InputError where there is none, or more than one."""
    kinds = [key for key in entry if key not in BESIDE]
    if len(kinds) != 1:
        message = f"a check has one kind, and this one has {' and '.join(f'`{kind}`' for kind in kinds[:4]) or 'none'}"
        hint = "make a list element of each" if kinds else "write a kind and what it looks for, such as `contains: text`"
        raise InputError(message, at=source.document.locate(pointer), hint=hint, code="bad-check")
    return kinds[0]


def _declared_check(source: Source, entry: dict[str, Any], pointer: str, script: bool) -> Check:
    kind = _kind(source, entry, pointer)
    value = entry[kind]
    place = pointer + pointer_of([kind])
    at = source.document.locate(place)
    _refuse_misfit(kind, script, at)
    if "arm" in entry:
        _refuse_arm(kind, entry["arm"], script, source.document.locate(f"{pointer}/arm"))
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
    params = portable(check.kind, check.params, source, at)
    if "pattern" in params:
        _check_pattern(params["pattern"], params.get("ignore-case", False), at)
    if "path" in params and check.kind != "json-path":
        globs = check.kind in ("file-exists", "file-absent") and is_glob(params["path"])
        params["path"] = (safe_glob if globs else safe)(params["path"], at=at)
    if "file" in params:
        params["file"] = safe(params["file"], at=at)
    files: tuple[str, ...] = ()
    if "run" in params:
        params["run"], files = command_line(source, params["run"])
    return Check(check.kind, params, files, check.origin)


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


def _refuse_arm(kind: str, arm: str | list[str], script: bool, at: Location) -> None:
    if script:
        raise InputError("a script case has no arms", at=at, hint="remove `arm`", code="bad-check")
    if kind in SKILL_KINDS and arm in (Arm.WITHOUT_SKILL, [Arm.WITHOUT_SKILL]):
        message = f"`{kind}` says nothing without the skill"
        raise InputError(message, at=at, hint="remove `arm`, or use another kind of check", code="bad-check")


def _refuse_misfit(kind: str, script: bool, at: Location) -> None:
    if kind in (AGENT_KINDS if script else SCRIPT_KINDS):
        wanted = "a case with `prompt`" if script else "a case with `run`"
        raise InputError(f"`{kind}` is a check for {wanted}", at=at, hint="use another kind of check", code="bad-check")
