"""Two answers to one task, with the skill and without it: a judge says which is better, twice, their positions swapped."""

from __future__ import annotations

from collections.abc import Sequence

from selftune_build.checks.answer import answer_schema
from selftune_build.checks.context import CheckContext, held, not_measured
from selftune_build.checks.record import framed, parts_of, question
from selftune_build.checks.votes import Asked, Opinion, Vote, by_vote
from selftune_build.model.case import Check
from selftune_build.model.sample import Transcript
from selftune_build.model.verdict import CheckResult

INSTRUCTIONS = framed(
    """You compare what two assistants did with the same task, by one criterion.
Length, style and position do not matter unless the criterion is about them.
Answer with one JSON object: {"better": "first", "second" or "neither", "evidence": "the shortest fact that decides it"}."""
)

SCHEMA = answer_schema(better={"enum": ["first", "second", "neither"]}, evidence={"type": "string"})

_WITH, _WITHOUT, _NONE = "with", "without", "none"


def judge(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether the majority of the votes prefers the answer with the skill; with `or-equal`, does not prefer the other.

    A preference that goes with the position is none. Not measured without a judge, or without the other answer; a run without
    the skill that used up its time limit has none to prefer.
    """
    if context.rule is None:
        return by_vote(None, (), lambda votes: _opinion(check, votes))
    if context.other is None:
        return not_measured("there is no answer without the skill to compare with")
    if context.other.limit:
        return held("without the skill the time limit was used up")
    orders = [(transcript, context.other), (context.other, transcript)]
    asked = [_asked(check, first, second, context) for first, second in orders]
    return by_vote(context.rule, asked, lambda votes: _opinion(check, votes))


def _asked(check: Check, first: Transcript, second: Transcript, context: CheckContext) -> Asked:
    parts = [("task", context.prompt), *parts_of(first, context, "first"), *parts_of(second, context, "second")]
    return Asked(question(INSTRUCTIONS, parts, f"Criterion: {check.params['text']}"), SCHEMA)


def _opinion(check: Check, votes: Sequence[Vote]) -> Opinion:
    before = {"first": _WITH, "second": _WITHOUT}.get(votes[0]["better"], _NONE)
    swapped = {"first": _WITHOUT, "second": _WITH}.get(votes[1]["better"], _NONE)
    preferred = before if before == swapped else _NONE
    holds = preferred == _WITH or (preferred == _NONE and check.params.get("or-equal", False))
    if preferred == _NONE:
        why = "neither answer" if before == swapped else "a preference that goes with the position counts as none"
        return Opinion(holds, f"no preference: {why} ({votes[0]['evidence']} / {votes[1]['evidence']})")
    return Opinion(holds, f"better {preferred} the skill: {votes[0]['evidence']}")
