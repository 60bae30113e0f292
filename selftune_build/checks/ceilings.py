"""Checks on what a run used up. What the agent does not tell is not measured, never held."""

from __future__ import annotations

from decimal import Decimal

from selftune_build.checks.context import CheckContext, decided, not_measured
from selftune_build.model.case import Check
from selftune_build.model.sample import Transcript
from selftune_build.model.verdict import CheckResult
from selftune_build.wording import counted

KINDS = frozenset({"max-turns", "max-tokens", "max-seconds", "max-cost"})
"""Kinds that alone do not make a case count for the lift: to do nothing uses least."""


def judge_turns(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether the model answered at most so many times."""
    usage = transcript.reply.usage
    if usage is None or usage.turns is None:
        return not_measured("the agent does not tell how many turns it took")
    return _at_most(check, usage.turns, "turn")


def judge_tokens(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether it read and wrote at most so many tokens together. No run of a model takes none: none means not told."""
    usage = transcript.reply.usage
    if usage is None or usage.input_tokens + usage.output_tokens == 0:
        return not_measured("the agent does not tell how many tokens it took")
    return _at_most(check, usage.input_tokens + usage.output_tokens, "token")


def judge_seconds(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether the sample took at most so many seconds when it was taken; judged again it took as long."""
    if transcript.milliseconds is None:
        return not_measured("how long it took was not recorded")
    seconds = Decimal(transcript.milliseconds) / 1000
    return decided(seconds <= check.params["value"], f"it took {seconds:f} s, at most {check.params['value']} s are asked")


def judge_cost(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether it cost at most so many US dollars."""
    usage = transcript.reply.usage
    if usage is None or usage.unpriced:
        return not_measured("the agent does not tell what it cost")
    cost, most = Decimal(usage.cost_usd), Decimal(check.params["usd"])
    return decided(cost <= most, f"it cost {cost:f} USD, at most {most:f} USD are asked")


def _at_most(check: Check, taken: int, unit: str) -> CheckResult:
    most: int = check.params["value"]
    return decided(taken <= most, f"it took {counted(taken, unit)}, at most {most} are asked")
