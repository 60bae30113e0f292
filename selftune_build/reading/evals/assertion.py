"""Assertions of other people's eval files: sentences, and objects in the shapes that are in use."""

from __future__ import annotations

import re
from typing import Any

from selftune_build.escape import one_line
from selftune_build.late import late
from selftune_build.model.case import Check
from selftune_build.model.finding import Severity
from selftune_build.pattern import PatternError, compile_pattern
from selftune_build.reading.document import pointer_of
from selftune_build.reading.evals.content import text_digest
from selftune_build.reading.evals.counterpart import any_of, counterpart
from selftune_build.reading.evals.foreign import as_json, has_text
from selftune_build.reading.evals.source import Source
from selftune_build.reading.evals.tool_calls import argument_pattern
from selftune_build.relpath import fault

_KINDS = {
    "contains": "contains",
    "output-contains": "contains",
    "text-contains": "contains",
    "response-contains": "contains",
    "not-contains": "not-contains",
    "output-not-contains": "not-contains",
    "does-not-contain": "not-contains",
    "regex": "regex",
    "matches": "regex",
    "regex-match": "regex",
    "output-matches": "regex",
    "not-regex": "not-regex",
    "output-not-matches": "not-regex",
    "file-exists": "file-exists",
    "file-not-exists": "file-absent",
    "file-contains": "file-contains",
    "file-not-contains": "file-not-contains",
    "skill-invoked": "skill-invoked",
    "skill-used": "skill-invoked",
    "skill-not-invoked": "skill-not-invoked",
    "not-skill-used": "skill-not-invoked",
    "tool-called": "tool-called",
    "tool-not-called": "tool-not-called",
}
"""The word an object says its type with → the kind of check."""

_VALUES = ("value", "text", "expected", "substring", "pattern", "content", "contains")
_PATHS = ("path", "file", "filename", "file_path")
_WANTED: dict[str, dict[str, tuple[str, ...]]] = {
    "contains": {"text": _VALUES},
    "not-contains": {"text": _VALUES},
    "regex": {"pattern": ("pattern", "value", "regex", "expected")},
    "not-regex": {"pattern": ("pattern", "value", "regex", "expected")},
    "file-exists": {"path": (*_PATHS, "value")},
    "file-absent": {"path": (*_PATHS, "value")},
    "file-contains": {"path": _PATHS, "text": _VALUES},
    "file-not-contains": {"path": _PATHS, "text": _VALUES},
    "skill-invoked": {"skill": ("skill", "name", "value")},
    "skill-not-invoked": {"skill": ("skill", "name", "value")},
    "tool-called": {"name": ("tool", "name", "value")},
    "tool-not-called": {"name": ("tool", "name", "value")},
}
"""Kind → for each parameter the keys that may hold it, the first that does."""

_LABELS = frozenset(
    {"id", "name", "type", "kind", "description", "title", "category", "message", "reason", "severity", "tags", "weight"}
)
"""Keys that say nothing about what is checked; a weight neither, since every check of a case has to hold."""

_PROSE = ("text", "assertion", "expectation", "check", "criterion", "criteria", "statement", "description")
_PROSE_TYPES = frozenset(
    {"", "sentence", "expectation", "assertion"}
    | {"llm", "llm-judge", "llm-rubric", "judge", "rubric", "semantic", "quality", "behavior", "behaviour"}
)


def foreign_check(source: Source, entry: Any, pointer: str) -> Check:
    """One assertion as a check. What has no counterpart becomes an `unsupported` one and a finding, never nothing."""
    if has_text(entry):
        return Check("sentence", {"text": entry}, origin=source.origin(pointer))
    if isinstance(entry, dict):
        check = _typed(source, entry, pointer) or _of_tool(source, entry, pointer) or _prose(source, entry, pointer)
        if check is not None:
            return check
    return _unsupported(source, entry, pointer)


def _typed(source: Source, entry: dict[str, Any], pointer: str) -> Check | None:
    """The check of an object whose type has a counterpart and that says nothing more than the counterpart can."""
    kind = _KINDS.get(_type_of(entry))
    if kind is None:
        return None
    params: dict[str, Any] = {}
    used: set[str] = set()
    for name, keys in _WANTED[kind].items():
        key = next((key for key in keys if has_text(entry.get(key)) and key not in used), None)
        if key is None:
            return None
        used.add(key)
        params[name] = entry[key]
    if entry.get("ignore_case") is True or entry.get("case_sensitive") is False:
        params["ignore-case"] = True
    rest = set(entry) - used - _LABELS - {"ignore_case", "case_sensitive"}
    return None if rest or not _usable(params) else Check(kind, params, origin=source.origin(pointer))


def _of_tool(source: Source, entry: dict[str, Any], pointer: str) -> Check | None:
    """Assertions of agent-skills-eval on the input of a tool or the number of its calls, and one text out of several."""
    kind, values = _type_of(entry), entry.get("value", entry.get("values"))
    if set(entry) - _LABELS - {"value", "values", "path", "pattern", "flags", "min", "max"}:
        return None
    if kind == "contains-any" and isinstance(values, list) and values and all(map(has_text, values)):
        return counterpart(source, "regex", any_of(values), pointer)
    if kind == "tool-call-count" and has_text(entry.get("name")):
        bounds = {key: entry[key] for key in ("min", "max") if type(entry.get(key)) is int}
        return counterpart(source, "tool-count", {"name": entry["name"], **bounds}, pointer) if bounds else None
    pattern = _pattern_on_argument(kind, entry)
    if pattern is None or not has_text(entry.get("name")) or not has_text(entry.get("path")):
        return None
    place = pointer_of(token.strip("[]") for token in _TOKEN.findall(entry["path"].removeprefix("$")))
    return counterpart(source, "tool-called", {"name": entry["name"], "arguments": {place: pattern}}, pointer)


def _pattern_on_argument(kind: str, entry: dict[str, Any]) -> str | None:
    """The pattern that the value of one argument has to match: whole, somewhere, or as it is given."""
    value = entry.get("value")
    if kind == "tool-arg-matches" and has_text(entry.get("pattern")):
        return argument_pattern(entry["pattern"], flags=str(entry.get("flags", "")))
    if kind not in ("tool-arg-equals", "tool-arg-contains") or not isinstance(value, str | int | bool):
        return None
    text = re.escape(value if isinstance(value, str) else as_json(value))
    return rf"\A{text}\Z" if kind == "tool-arg-equals" else text


_TOKEN = late(r"[^.\[\]]+|\[[0-9]+\]")
"""One step of a path such as `items[0].name`."""


def _prose(source: Source, entry: dict[str, Any], pointer: str) -> Check | None:
    """The sentence of an object that is prose with labels around it."""
    kind = _type_of(entry)
    keys = [key for key in _PROSE if has_text(entry.get(key))]
    if not keys or kind not in _PROSE_TYPES or set(entry) - _LABELS - {keys[0]}:
        return None
    return Check("sentence", {"text": entry[keys[0]]}, origin=source.origin(pointer))


def _unsupported(source: Source, entry: Any, pointer: str) -> Check:
    """Named by its type, else by its keys: one finding for each name in a file."""
    name = one_line(_name(entry), 60)
    message = f"checks of the shape {name} are not measured; their cases stay undecided"
    if all(finding.message != message for finding in source.findings):
        source.note("check-not-supported", Severity.WARNING, message, pointer, "say it as a sentence, or in a native eval file")
    return source.unsupported(name, text_digest(as_json(entry)), f"checks of the shape {name} are not measured", pointer)


def _name(entry: Any) -> str:
    if not isinstance(entry, dict):
        return "empty text" if isinstance(entry, str) else type(entry).__name__
    kind = _type_of(entry)
    return f"`{kind}`" if kind else "{" + ", ".join(sorted(entry)) + "}"


def _type_of(entry: dict[str, Any]) -> str:
    kind = next((entry[key] for key in ("type", "kind") if isinstance(entry.get(key), str)), "")
    return kind.strip().lower().replace("_", "-")


def _usable(params: dict[str, Any]) -> bool:
    if "path" in params and fault(params["path"]):
        return False
    if "pattern" not in params:
        return True
    try:
        compile_pattern(params["pattern"], ignore_case=params.get("ignore-case", False))
    except PatternError:
        return False
    return True
