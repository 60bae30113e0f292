"""Judges at hand: one that only notes what it is asked, and one whose votes are known."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from selftune_build.checks.context import CheckContext
from selftune_build.checks.registry import judge
from selftune_build.checks.votes import Asked, Rule, Vote, Votes
from selftune_build.model.case import Check
from selftune_build.model.sample import Transcript


def asking(check: Check, transcript: Transcript, context: CheckContext) -> list[Asked]:
    """Every question that a check puts to its judge."""
    asked: list[Asked] = []

    def rule(question: Asked) -> Votes:
        asked.append(question)
        return Votes(missing="not asked")

    assert judge(check, transcript, replace(context, rule=rule)).held is None
    return asked


def voting(*votes: Sequence[Vote]) -> Rule:
    """The votes on the first question, on the second, and so on."""
    left = iter(votes)
    return lambda question: Votes(tuple(next(left)))


def fence_of(question: str) -> str:
    """The word that fences the record of a question."""
    found = re.search(r"^The word of this record is ([0-9a-f]{16})\.$", question, re.MULTILINE)
    assert found is not None
    return found[1]
