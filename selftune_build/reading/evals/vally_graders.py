"""The graders of Vally as checks, and what they say about triggering (see `vally` for where they are written down)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from selftune_build.model.case import Check
from selftune_build.reading.evals.counterpart import counterpart, decimal, implied, matching, not_supported
from selftune_build.reading.evals.draft import entries, mapping, texts
from selftune_build.reading.evals.foreign import has_text, seconds
from selftune_build.reading.evals.source import Source
from selftune_build.reading.evals.tool_calls import Activation, activation, argument_pattern, tool_check

_TEXT = {"output-contains": "contains", "output-not-contains": "not-contains"}
_PATHS = {"file-exists": "file-exists", "file-not-exists": "file-absent"}
_NEGATED = {"output-matches": "regex", "output-not-matches": "not-regex"}
_OPPOSITE = {"regex": "not-regex", "not-regex": "regex"}
_KEYS: dict[str, frozenset[str]] = {
    **dict.fromkeys(_TEXT, frozenset({"substring", "case_sensitive"})),
    **dict.fromkeys(_NEGATED, frozenset({"pattern", "negate"})),
    **dict.fromkeys(_PATHS, frozenset({"path"})),
    **dict.fromkeys(("file-matches", "file-not-matches"), frozenset({"path", "pattern"})),
    "tool-calls": frozenset({"required", "disallowed"}),
    "prompt": frozenset({"prompt", "model", "scoring", "threshold"}),
    "run-command": frozenset({"command", "expected_exit_code"}),
    "wall-time": frozenset({"max"}),
}
"""Type of a grader → what its configuration may hold; with anything more it means something else."""

_IMPLIED = ("completed", "exit-success")


def graded(source: Source, grader: dict[str, Any], stimulus: dict[str, Any], pointer: str) -> Activation:
    """One grader as checks and, for skills, as polarity; what has no counterpart is a check that says so."""
    kind, config = str(grader.get("type")), mapping(grader.get("config"))
    if kind == "skill-invocation":
        return activation(source, texts(config.get("required")), texts(config.get("disallowed")), pointer)
    if kind in _IMPLIED:
        implied(source, kind, pointer)
        return Activation()
    usual = kind not in _KEYS or set(config) <= _KEYS[kind]
    checks = tuple(_checks(source, kind, config, stimulus, pointer)) if usual else ()
    return Activation(None, checks or (not_supported(source, f"`{kind}`", config, pointer),))


def _checks(source: Source, kind: str, config: dict[str, Any], stimulus: dict[str, Any], pointer: str) -> Iterator[Check]:
    if kind in _TEXT:
        params = {"text": config.get("substring"), **({"ignore-case": True} if config.get("case_sensitive") is False else {})}
        yield counterpart(source, _TEXT[kind], params, pointer)
    elif kind in _NEGATED and has_text(config.get("pattern")):
        negate = config.get("negate") is True
        yield counterpart(source, _OPPOSITE[_NEGATED[kind]] if negate else _NEGATED[kind], matching(config["pattern"]), pointer)
    elif kind in _PATHS:
        yield counterpart(source, _PATHS[kind], {"path": config.get("path")}, pointer)
    elif kind in ("file-matches", "file-not-matches") and has_text(config.get("pattern")):
        found = matching(config["pattern"], anywhere=kind == "file-matches")
        yield counterpart(source, "file-regex", {"path": config.get("path"), **found}, pointer)
    elif kind == "tool-calls":
        yield from _tools(source, config, pointer)
    elif kind == "prompt":
        yield from _judged(source, config, stimulus, pointer)
    elif kind == "run-command" and has_text(config.get("command")):
        yield _command(source, config, pointer)
    elif kind == "wall-time" and seconds(config.get("max")):
        yield counterpart(source, "max-seconds", {"value": seconds(config["max"])}, pointer)


def _command(source: Source, config: dict[str, Any], pointer: str) -> Check:
    params: dict[str, Any] = {"run": ["sh", "-c", config["command"]]}
    status = config.get("expected_exit_code", 0)
    return counterpart(source, "command", {**params, "exit": status} if status else params, pointer)


def _judged(source: Source, config: dict[str, Any], stimulus: dict[str, Any], pointer: str) -> Iterator[Check]:
    """The grader's own instruction; without one the sentences of the stimulus's rubric."""
    if not has_text(config.get("prompt")):
        for index, text in enumerate(texts(stimulus.get("rubric"))):
            yield counterpart(source, "sentence", {"text": text}, f"{pointer.split('/graders')[0]}/rubric/{index}")
        return
    least = decimal(config.get("threshold"))
    if least is None or least == "1":
        yield counterpart(source, "sentence", {"text": config["prompt"]}, pointer)
    else:
        yield counterpart(source, "rubric", {"criteria": [{"text": config["prompt"], "weight": 1}], "min": least}, pointer)


def _tools(source: Source, config: dict[str, Any], pointer: str) -> Iterator[Check]:
    for key, kind in (("required", "tool-called"), ("disallowed", "tool-not-called")):
        for below, wanted in entries(config.get(key), f"{pointer}/config/{key}"):
            if isinstance(wanted, str):
                yield tool_check(source, kind, wanted, below)
            else:
                yield _tool_with(source, kind, mapping(wanted), below)


def _tool_with(source: Source, kind: str, wanted: dict[str, Any], pointer: str) -> Check:
    """A tool whose arguments are told as well: `command` and `path` by pattern, those under `args` exactly."""
    exact = {f"/{key}": f"^{re.escape(str(value))}$" for key, value in mapping(wanted.get("args")).items()}
    named = {f"/{key}": argument_pattern(wanted[key]) for key in ("command", "path") if key in wanted}
    arguments = {**exact, **{key: value for key, value in named.items() if value}}
    if set(wanted) - {"name", "command", "path", "args"}:
        return not_supported(source, "`tool-calls` with other keys", wanted, pointer)
    return tool_check(source, kind, wanted.get("name"), pointer, arguments)
