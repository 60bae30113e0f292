"""Checks on how often and in which order tools were called.

Calls of a tool that activates skills are passed over unless the check names one: with the skill there is one more call, and
without it there is none.
"""

from __future__ import annotations

from selftune_build.checks.context import CheckContext, decided, failed, held
from selftune_build.checks.tools import ACTIVATION_TOOLS, called, not_told
from selftune_build.model.case import Check
from selftune_build.model.sample import ToolCall, Transcript
from selftune_build.model.verdict import CheckResult
from selftune_build.wording import counted, listed

_SHOWN = 12


def is_about_outcome(check: Check) -> bool:
    """Whether the order may count for the lift: unless it names a tool that activates skills."""
    return ACTIVATION_TOOLS.isdisjoint(check.params["names"])


def judge_count(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether the tool was called at least `min` and at most `max` times."""
    calls = transcript.reply.tool_calls
    if calls is None:
        return not_told()
    count = sum(call.name == check.params["name"] for call in calls)
    low, high = check.params.get("min", 0), check.params.get("max")
    fits = low <= count and (high is None or count <= high)
    return decided(fits, f"{check.params['name']} was called {counted(count, 'time')}; {called(calls)}")


def judge_order(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether the tools were called in this order, with any other calls before, between and after."""
    calls = transcript.reply.tool_calls
    if calls is None:
        return not_told()
    found = _names(check, calls)
    rest = iter(found)
    missing = next((name for name in check.params["names"] if name not in rest), None)
    if missing is None:
        return held(_sequence(found))
    return failed(f"no {missing} in its place; {_sequence(found)}")


def judge_sequence(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether these tools were called in this order and no others."""
    calls = transcript.reply.tool_calls
    if calls is None:
        return not_told()
    found = _names(check, calls)
    return decided(found == list(check.params["names"]), _sequence(found))


def _names(check: Check, calls: tuple[ToolCall, ...]) -> list[str]:
    passed_over = ACTIVATION_TOOLS.difference(check.params["names"])
    return [call.name for call in calls if call.name not in passed_over]


def _sequence(names: list[str]) -> str:
    return f"called in this order: {listed(names, _SHOWN)}" if names else "no tool was called"
