"""Checks on the tools that the agent called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from selftune_build.checks.context import CheckContext, failed, held, not_measured
from selftune_build.checks.quote import around, find, normalised
from selftune_build.model.case import Check
from selftune_build.model.sample import ToolCall, Transcript
from selftune_build.model.verdict import CheckResult

ACTIVATION_TOOLS = frozenset({"Skill", "skill", "activate_skill"})
"""Tools by which hosts activate a skill: a check on one of them is a check on the skill's own use."""

_SHOWN = 6


def is_about_outcome(check: Check) -> bool:
    """Whether a tool check may count for the lift: always, unless its tool is the one that activates skills."""
    return check.params["name"] not in ACTIVATION_TOOLS


def judge_called(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether the tool was called, with an input that holds the text asked for; not measured where the agent does not tell."""
    calls = transcript.reply.tool_calls
    if calls is None:
        return _not_told()
    place = _fitting(check, calls)
    return failed(_called(calls)) if place is None else held(place)


def judge_not_called(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether no such call was made; not measured where the agent does not tell."""
    calls = transcript.reply.tool_calls
    if calls is None:
        return _not_told()
    place = _fitting(check, calls)
    return held(_called(calls)) if place is None else failed(place)


def _fitting(check: Check, calls: tuple[ToolCall, ...]) -> str | None:
    """What to show of the first call that fits the check, None where none does."""
    wanted = check.params.get("input-contains")
    for call in calls:
        if call.name != check.params["name"]:
            continue
        if wanted is None:
            return _called(calls)
        for text in _texts(call.input):
            span = find(wanted, text)
            if span:
                return f"{call.name} was called with {around(text, span)}"
    return None


def _texts(value: Any) -> Iterator[str]:
    """Every string in an input, keys left out, in the order of the input; with a stack, since depth is the agent's."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield normalised(item)
        elif isinstance(item, dict):
            waiting.extend(reversed(item.values()))
        elif isinstance(item, list | tuple):
            waiting.extend(reversed(item))
        elif item is not None:
            yield str(item).lower() if isinstance(item, bool) else str(item)


def _not_told() -> CheckResult:
    return not_measured("the agent does not tell which tools it called")


def _called(calls: tuple[ToolCall, ...]) -> str:
    counts = Counter(call.name for call in calls)
    shown = ", ".join(f"{name} ×{count}" if count > 1 else name for name, count in counts.most_common(_SHOWN))
    rest = len(counts) - _SHOWN
    return "called: " + shown + (f" and {rest} other tools" if rest > 0 else "") if counts else "no tool was called"
