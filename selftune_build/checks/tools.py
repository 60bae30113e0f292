"""Checks on the tools that the agent called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from selftune_build.checks.context import CheckContext, decided, not_measured
from selftune_build.checks.json_value import shown
from selftune_build.checks.quote import around, find, normalised
from selftune_build.model.case import Check
from selftune_build.model.sample import ToolCall, Transcript
from selftune_build.model.verdict import CheckResult
from selftune_build.pattern import Patience, PatternError, PatternTimeout
from selftune_build.reading.json_query import pointed

ACTIVATION_TOOLS = frozenset({"Skill", "skill", "activate_skill"})
"""Tools by which hosts activate a skill: a check on one of them is a check on the skill's own use."""

_SHOWN = 6


def is_about_outcome(check: Check) -> bool:
    """Whether a tool check may count for the lift: always, unless its tool is the one that activates skills."""
    return check.params["name"] not in ACTIVATION_TOOLS


def judge_called(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether the tool was called, with an input that holds the text and the arguments asked for.

    Not measured where the agent does not tell, and where a pattern takes too long.
    """
    return _judged(check, transcript, wanted=True)


def judge_not_called(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether no such call was made; not measured likewise."""
    return _judged(check, transcript, wanted=False)


def _judged(check: Check, transcript: Transcript, *, wanted: bool) -> CheckResult:
    calls = transcript.reply.tool_calls
    if calls is None:
        return not_told()
    try:
        place = _fitting(check, calls)
    except PatternTimeout:
        return not_measured("the patterns took too long on these calls")
    except PatternError as problem:
        return not_measured(f"a pattern cannot be used: {problem}")
    return decided((place is not None) is wanted, called(calls) if place is None else place)


def _fitting(check: Check, calls: tuple[ToolCall, ...]) -> str | None:
    """What to show of the first call that fits the check, None where none does."""
    patience = Patience()
    for call in calls:
        if call.name == check.params["name"] and _arguments_fit(check, call, patience):
            place = _place(check, call, calls)
            if place is not None:
                return place
    return None


def _arguments_fit(check: Check, call: ToolCall, patience: Patience) -> bool:
    """Whether there is an argument under every JSON Pointer and its pattern matches in it; what is no text is matched as JSON."""
    for pointer, pattern in check.params.get("arguments", {}).items():
        values = pointed(pointer, call.input)
        if not values or not patience.search(pattern, values[0] if isinstance(values[0], str) else shown(values[0])):
            return False
    return True


def _place(check: Check, call: ToolCall, calls: tuple[ToolCall, ...]) -> str | None:
    """What to show of a call whose input holds the text asked for, None where it does not."""
    wanted = check.params.get("input-contains")
    if wanted is None:
        return f"{call.name} was called with {shown(call.input)}" if "arguments" in check.params else called(calls)
    places = ((text, find(wanted, text)) for text in _texts(call.input))
    return next((f"{call.name} was called with {around(text, span)}" for text, span in places if span), None)


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


def not_told() -> CheckResult:
    """The result where the agent does not tell."""
    return not_measured("the agent does not tell which tools it called")


def called(calls: tuple[ToolCall, ...]) -> str:
    """Which tools were called, how often, the most frequent first."""
    counts = Counter(call.name for call in calls)
    shown = ", ".join(f"{name} ×{count}" if count > 1 else name for name, count in counts.most_common(_SHOWN))
    rest = len(counts) - _SHOWN
    return "called: " + shown + (f" and {rest} other tools" if rest > 0 else "") if counts else "no tool was called"
