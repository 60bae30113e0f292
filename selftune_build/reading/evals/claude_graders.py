"""The graders of `claude plugin eval` as checks, and what they say about triggering (see `claude_plugin` for their source)."""

from __future__ import annotations

import re
from typing import Any

from selftune_build.late import late
from selftune_build.model.case import Arm
from selftune_build.pattern import PatternError, PatternTimeout, first_match
from selftune_build.reading.evals.counterpart import counterpart, matching, not_supported
from selftune_build.reading.evals.data_file import BODY
from selftune_build.reading.evals.draft import mapping
from selftune_build.reading.evals.foreign import has_text
from selftune_build.reading.evals.source import Source
from selftune_build.reading.evals.tool_calls import Activation, is_name

_SKILL = "Skill"
_ARMS = {"with-only": (Arm.WITH_SKILL,)}
_NAMED = late(r"[\w-]+")
_LEFT = frozenset({"name", "type", "weight", "arm", "description"})


def graded(source: Source, grader: dict[str, Any], pointer: str, weight: int) -> Activation:
    """One grader; what has no counterpart is a check that says so. `grader` holds its file's text under `body`."""
    kind = str(grader.get("type"))
    if kind == "tool_used" and grader.get("tool") == _SKILL:
        return _skill(source, grader, pointer)
    found = _counterpart(kind, grader)
    if found is None:
        return Activation(None, (not_supported(source, _shape(kind, grader), grader, pointer),))
    name, params = found
    arms = _ARMS.get(str(grader.get("arm")))
    return Activation(None, (counterpart(source, name, params, pointer, id=_id(grader), weight=weight, arms=arms),))


def _counterpart(kind: str, grader: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    if kind == "llm":
        return _llm(grader)
    if kind == "regex":
        return _regex(grader)
    if kind == "file_exists":
        there = grader.get("exists") is not False
        return ("file-exists" if there else "file-absent"), {"path": grader.get("path")}
    if kind == "tool_used" and is_name(grader.get("tool")) and "input_match" not in grader:
        return _tool(grader)
    if kind == "tool_order" and is_name(grader.get("before")) and is_name(grader.get("after")):
        return "tool-order", {"names": [grader["before"], grader["after"]]}
    return None


def _llm(grader: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Criteria on the last message or on a file; a judge here sees the answer and the files that were left."""
    text = grader.get("criteria") if has_text(grader.get("criteria")) else grader.get(BODY)
    focus = grader.get("focus", "last_message")
    if not has_text(text):
        return None
    if isinstance(focus, dict) and has_text(focus.get("path")):
        return "sentence", {"text": f"Of the file {focus['path']}: {text}"}
    return ("sentence", {"text": text}) if focus == "last_message" else None


def _regex(grader: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    pattern = grader.get("pattern") if has_text(grader.get("pattern")) else grader.get(BODY)
    target, match = grader.get("target", "last_message"), grader.get("match", "contains")
    if not has_text(pattern) or match not in ("contains", "not_contains"):
        return None
    flags, there = str(grader.get("flags", "")), match == "contains"
    if target == "last_message":
        return ("regex" if there else "not-regex"), matching(pattern, flags=flags)
    if isinstance(target, dict) and target.get("source") == "file":
        return "file-regex", {"path": target.get("path"), **matching(pattern, flags=flags, anywhere=there)}
    return None


def _tool(grader: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    least, most = grader.get("min", 1), grader.get("max")
    if (least, most) == (1, None):
        return "tool-called", {"name": grader["tool"]}
    if most == 0:
        return "tool-not-called", {"name": grader["tool"]}
    bounds = {"min": least, "max": most}
    numbers = {key: value for key, value in bounds.items() if isinstance(value, int) and not isinstance(value, bool)}
    return "tool-count", {"name": grader["tool"], **numbers}


def _skill(source: Source, grader: dict[str, Any], pointer: str) -> Activation:
    """Whether the skill has to be used. Without a pattern on the input any skill is meant: here the one of the package."""
    wanted = grader.get("max") != 0
    pattern = grader.get("input_match")
    if pattern is None or _fits(pattern, source.package_name):
        return Activation(wanted)
    name = _other(pattern)
    if name is None:
        why = "its pattern does not name one skill"
        return Activation(None, (not_supported(source, "`tool_used` of Skill", grader, pointer, why),))
    kind = "skill-invoked" if wanted else "skill-not-invoked"
    return Activation(None, (counterpart(source, kind, {"skill": name}, pointer),))


def _fits(pattern: Any, name: str) -> bool:
    """Whether the pattern finds the skill in an input as the host writes it."""
    inputs = (f'{{"skill":"{name}"}}', f'{{"skill": "{name}"}}', f'{{"skill":"plugin:{name}"}}')
    try:
        return bool(name) and any(first_match(str(pattern), text) for text in inputs)
    except (PatternError, PatternTimeout):
        return False


def _other(pattern: Any) -> str | None:
    """The name that a pattern consists of, where it is nothing but a name."""
    return str(pattern) if isinstance(pattern, str) and _NAMED.fullmatch(pattern) else None


def _shape(kind: str, grader: dict[str, Any]) -> str:
    for key in ("target", "focus"):
        if key in grader:
            value = grader[key]
            return f"`{kind}` of {value if isinstance(value, str) else mapping(value).get('source', 'a file')}"
    return f"`{kind}` with {' and '.join(sorted(set(grader) - _LEFT - {BODY}))}" if set(grader) - _LEFT - {BODY} else f"`{kind}`"


def _id(grader: dict[str, Any]) -> str | None:
    name = grader.get("name")
    return name if isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name) else None
