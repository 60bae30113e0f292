"""The graders and expectations of waza as checks, and what they say about triggering (see `waza` for their source)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from selftune_build.model.case import Check
from selftune_build.reading.evals.case_files import package_file
from selftune_build.reading.evals.counterpart import any_of, counterpart, matching, not_supported
from selftune_build.reading.evals.dotnet import ceiling
from selftune_build.reading.evals.draft import entries, mapping, texts
from selftune_build.reading.evals.foreign import has_text
from selftune_build.reading.evals.source import Source
from selftune_build.reading.evals.tool_calls import Activation, activation, argument_pattern, tool_check

_TEXT = {
    "contains": ("contains", True),
    "not_contains": ("not-contains", True),
    "contains_cs": ("contains", False),
    "not_contains_cs": ("not-contains", False),
    "must_contain": ("contains", True),
    "must_not_contain": ("not-contains", True),
}
"""Key of a text or keyword grader → kind, and whether case is ignored."""

_REGEX = {"regex_match": "regex", "regex_not_match": "not-regex", "must_match": "regex", "must_not_match": "not-regex"}
_FILES = {"must_exist": "file-exists", "must_not_exist": "file-absent"}
_TOOLS = {"required_tools": "tool-called", "forbidden_tools": "tool-not-called"}
_PATTERNS = {"command_pattern": "/command", "path_pattern": "/path", "skill_pattern": "/skill"}

_DURATIONS = frozenset({"max_duration_ms", "max_response_time_ms"})
_EXPECTED = frozenset({"should_trigger", "output_contains", "output_contains_any", "output_not_contains", "behavior"})
_KEYS: dict[str, frozenset[str]] = {
    "text": frozenset({*_TEXT, *_REGEX}),
    "regex": frozenset({*_TEXT, *_REGEX}),
    "keyword": frozenset({*_TEXT, *_REGEX}),
    "file": frozenset({*_FILES, "content_patterns"}),
    "diff": frozenset({"expected_files", "context_dir"}),
    "action_sequence": frozenset({"matching_mode", "expected_actions"}),
    "tool_constraint": frozenset({"expect_tools", "reject_tools"}),
    "prompt": frozenset({"prompt", "rubric", "mode", "model", "continue_session"}),
    "json_schema": frozenset({"schema", "schema_file"}),
    "code": frozenset({"assertions", "language"}),
}
"""Type of a grader → what its configuration may hold; anything more has no counterpart."""

Checks = Iterator[Check]


def graded(source: Source, grader: dict[str, Any], pointer: str) -> Activation:
    """One grader as checks and, for skills, as polarity; what has no counterpart is a check that says so."""
    kind, config = str(grader.get("type")), {**mapping(grader.get("config"))}
    config.update({key: grader[key] for key in ("assertions", "rubric", "script") if key in grader})
    place = f"{pointer}/config"
    if kind == "skill_invocation":
        return _skills(source, config, place)
    make = _FAMILIES.get(kind)
    checks = tuple(make(source, config, place)) if make else ()
    more = {key: config[key] for key in config if kind in _KEYS and key not in _KEYS[kind]}
    if checks and more:
        checks = (*checks, not_supported(source, f"`{kind}` with {' and '.join(sorted(more))}", more, place))
    return Activation(None, checks or (not_supported(source, f"`{kind}`", config, pointer),))


def expected(source: Source, data: Any, pointer: str) -> Activation:
    """What a task expects without naming a grader; a text in place of a mapping is a note, and checks nothing."""
    data = mapping(data)
    should, several = data.get("should_trigger"), texts(data.get("output_contains_any"))
    unknown = [key for key in data if key not in _EXPECTED and data[key]]
    checks = [
        *(_contained(source, data, "output_contains", "contains", pointer)),
        *(_contained(source, data, "output_not_contains", "not-contains", pointer)),
        *([counterpart(source, "regex", any_of(several, ignore_case=True), f"{pointer}/output_contains_any")] if several else []),
        *_behavior(source, mapping(data.get("behavior")), f"{pointer}/behavior"),
        *(not_supported(source, f"expected `{key}`", data[key], f"{pointer}/{key}") for key in unknown),
    ]
    return Activation(should if isinstance(should, bool) else None, tuple(checks))


def _contained(source: Source, data: dict[str, Any], key: str, kind: str, pointer: str) -> Checks:
    for index, text in enumerate(texts(data.get(key))):
        yield counterpart(source, kind, {"text": text, "ignore-case": True}, f"{pointer}/{key}/{index}")


def _text(source: Source, config: dict[str, Any], pointer: str) -> Checks:
    for key, (kind, ignores) in _TEXT.items():
        for index, text in enumerate(texts(config.get(key))):
            params = {"text": text, **({"ignore-case": True} if ignores else {})}
            yield counterpart(source, kind, params, f"{pointer}/{key}/{index}")
    for key, kind in _REGEX.items():
        for index, pattern in enumerate(texts(config.get(key))):
            yield counterpart(source, kind, matching(pattern), f"{pointer}/{key}/{index}")


def _file(source: Source, config: dict[str, Any], pointer: str) -> Checks:
    for key, kind in _FILES.items():
        for index, path in enumerate(texts(config.get(key))):
            yield counterpart(source, kind, {"path": path}, f"{pointer}/{key}/{index}")
    for below, entry in entries(config.get("content_patterns"), f"{pointer}/content_patterns"):
        file = mapping(entry)
        for key, found in (("must_match", True), ("must_not_match", False)):
            for pattern in texts(file.get(key)):
                yield counterpart(source, "file-regex", {"path": file.get("path"), **matching(pattern, anywhere=found)}, below)


def _diff(source: Source, config: dict[str, Any], pointer: str) -> Checks:
    """A snapshot of a whole file, and texts that it holds."""
    for below, entry in entries(config.get("expected_files"), f"{pointer}/expected_files"):
        file = mapping(entry)
        for text in texts(file.get("contains")):
            yield counterpart(source, "file-contains", {"path": file.get("path"), "text": text.removeprefix("+")}, below)
        if "snapshot" in file:
            yield _snapshot(source, file, config.get("context_dir"), below)


def _snapshot(source: Source, file: dict[str, Any], folder: Any, pointer: str) -> Check:
    spelled = f"{folder}/{file['snapshot']}" if has_text(folder) else str(file["snapshot"])
    path = source.beside(spelled)
    content = package_file(source.read, path) if path else None
    if content is None:
        return not_supported(source, "`diff`", file, pointer, "its snapshot is not there")
    return counterpart(source, "file-equals", {"path": file.get("path"), "text": content.decode("utf-8", "replace")}, pointer)


def _behavior(source: Source, config: dict[str, Any], pointer: str) -> Checks:
    for key, kind in _TOOLS.items():
        for index, name in enumerate(texts(config.get(key))):
            yield tool_check(source, kind, name, f"{pointer}/{key}/{index}")
    for key, kind in (("max_tokens", "max-tokens"), ("max_iterations", "max-turns")):
        if config.get(key):
            yield ceiling(source, kind, config[key], f"{pointer}/{key}")
    for key in _DURATIONS & set(config):
        longest = config[key]
        if isinstance(longest, int) and longest > 0:
            yield counterpart(source, "max-seconds", {"value": -(-longest // 1000)}, f"{pointer}/{key}")
    for key in config:
        if key not in {*_TOOLS, *_DURATIONS, "max_tokens", "max_iterations"} and config[key]:
            yield not_supported(source, f"`{key}`", config[key], f"{pointer}/{key}")


def _sequence(source: Source, config: dict[str, Any], pointer: str) -> Checks:
    names, mode = texts(config.get("expected_actions")), config.get("matching_mode")
    if mode == "any_order_match":
        for name in names:
            yield tool_check(source, "tool-called", name, pointer)
    elif names and mode in ("exact_match", "in_order_match"):
        kind = "tool-sequence" if mode == "exact_match" else "tool-order"
        yield counterpart(source, kind, {"names": names}, pointer)


def _tools(source: Source, config: dict[str, Any], pointer: str) -> Checks:
    for key, kind in (("expect_tools", "tool-called"), ("reject_tools", "tool-not-called")):
        for below, entry in entries(config.get(key), f"{pointer}/{key}"):
            wanted = mapping(entry)
            given = {place: argument_pattern(wanted.get(name)) for name, place in _PATTERNS.items() if name in wanted}
            patterns = {place: f"(?i:{pattern})" for place, pattern in given.items() if pattern}
            yield tool_check(source, kind, wanted.get("tool"), below, patterns)


def _skills(source: Source, config: dict[str, Any], pointer: str) -> Activation:
    names = texts(config.get("required_skills"))
    found = activation(source, names, (), pointer)
    strict = (len(names) > 1 and config.get("mode") != "any_order") or config.get("allow_extra") is False
    if not strict:
        return found
    why = "the order of skills, and which others are used, is not told"
    return Activation(found.should_trigger, (*found.checks, not_supported(source, "`skill_invocation`", config, pointer, why)))


def _prompt(source: Source, config: dict[str, Any], pointer: str) -> Checks:
    text = next((config[key] for key in ("prompt", "rubric") if has_text(config.get(key))), None)
    if text:
        yield counterpart(source, "pairwise" if config.get("mode") == "pairwise" else "sentence", {"text": text}, pointer)


def _schema(source: Source, config: dict[str, Any], pointer: str) -> Checks:
    schema = config.get("schema")
    if isinstance(schema, dict):
        yield counterpart(source, "json-schema", {"schema": schema}, pointer)
    elif has_text(config.get("schema_file")):
        part = source.part(source.beside(config["schema_file"]) or "")
        if part is not None and isinstance(part.document.data, dict):
            yield counterpart(source, "json-schema", {"schema": part.document.data}, pointer)


def _code(source: Source, config: dict[str, Any], pointer: str) -> Checks:
    """Expressions of Python or JavaScript over the run: each is named, none is executed."""
    for index, expression in enumerate(texts(config.get("assertions"))):
        yield not_supported(source, "`code`", expression, f"{pointer}/assertions/{index}")


_FAMILIES: dict[str, Callable[[Source, dict[str, Any], str], Checks]] = {
    "text": _text,
    "regex": _text,
    "keyword": _text,
    "file": _file,
    "diff": _diff,
    "behavior": _behavior,
    "action_sequence": _sequence,
    "tool_constraint": _tools,
    "prompt": _prompt,
    "json_schema": _schema,
    "code": _code,
}
