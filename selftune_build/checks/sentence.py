"""A sentence that is true of what happened, or not: a judge decides."""

from __future__ import annotations

from collections.abc import Sequence

from selftune_build.checks.answer import answer_schema
from selftune_build.checks.context import CheckContext
from selftune_build.checks.record import framed, parts_of, question
from selftune_build.checks.votes import Asked, Opinion, Vote, by_vote
from selftune_build.model.case import Check
from selftune_build.model.sample import Transcript
from selftune_build.model.verdict import CheckResult

INSTRUCTIONS = framed(
    """You decide whether one statement is true of what an assistant did.
Answer with one JSON object: {"evidence": "the shortest quote or fact that decides it", "holds": true or false}."""
)

SCHEMA = answer_schema(evidence={"type": "string"}, holds={"type": "boolean"})


def judge(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether the majority of the votes says that it is true; never measured without a judge."""
    if context.rule is None:
        return by_vote(None, (), _opinion)
    parts = [("task", context.prompt), *parts_of(transcript, context)]
    asked = Asked(question(INSTRUCTIONS, parts, f"Statement: {check.params['text']}"), SCHEMA)
    return by_vote(context.rule, [asked], _opinion)


def _opinion(votes: Sequence[Vote]) -> Opinion:
    return Opinion(votes[0]["holds"], votes[0]["evidence"])
