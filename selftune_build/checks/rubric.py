"""A rubric: a judge rules on each criterion in one answer, and the weighted share of those met is held against a floor."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from selftune_build.checks.answer import answer_schema
from selftune_build.checks.context import CheckContext
from selftune_build.checks.record import framed, parts_of, question
from selftune_build.checks.votes import Asked, Opinion, Vote, by_vote
from selftune_build.model.case import Check
from selftune_build.model.sample import Transcript
from selftune_build.model.verdict import CheckResult

INSTRUCTIONS = framed(
    """You decide for each of several criteria whether what an assistant did meets it, each on its own.
Answer with one JSON object that has for every criterion its name, and there
{"evidence": "the shortest quote or fact that decides it", "met": true or false}."""
)

_RULING = answer_schema(evidence={"type": "string"}, met={"type": "boolean"})


def judge(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether in the majority of the votes the criteria met weigh at least `min` of all; never measured without a judge."""
    if context.rule is None:
        return by_vote(None, (), lambda votes: _opinion(check, votes))
    criteria = check.params["criteria"]
    listed = "\n".join(f"{_name(position)}: {criterion['text']}" for position, criterion in enumerate(criteria))
    parts = [("task", context.prompt), *parts_of(transcript, context)]
    schema = answer_schema(**{_name(position): _RULING for position in range(len(criteria))})
    asked = Asked(question(INSTRUCTIONS, parts, f"Criteria:\n{listed}"), schema)
    return by_vote(context.rule, [asked], lambda votes: _opinion(check, votes))


def _name(position: int) -> str:
    return f"criterion_{position + 1}"


def _opinion(check: Check, votes: Sequence[Vote]) -> Opinion:
    criteria: list[dict[str, Any]] = check.params["criteria"]
    rulings = [votes[0][_name(position)] for position in range(len(criteria))]
    weights = [Decimal(str(criterion.get("weight", 1))) for criterion in criteria]
    met = sum((weight for weight, ruling in zip(weights, rulings, strict=True) if ruling["met"]), Decimal(0))
    share, floor = met / sum(weights), Decimal(str(check.params.get("min", "1")))
    failed = [(criterion, ruling) for criterion, ruling in zip(criteria, rulings, strict=True) if not ruling["met"]]
    names = ", ".join(f'"{criterion["text"]}"' for criterion, _ in failed)
    missed = f"; not met: {names}: {failed[0][1]['evidence']}" if failed else ""
    return Opinion(share >= floor, f"{share:.2f} of the weight is met, {floor} asked for{missed}")
