"""Rubrics: one question for all criteria, their weighted share against the floor."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from selftune_build.checks.context import CheckContext
from selftune_build.checks.rubric import judge
from selftune_build.model.case import Arm, Check
from selftune_build.model.sample import Reply, Transcript
from selftune_build.model.verdict import CheckResult
from tests.unit.checks.judges import asking, voting

CONTEXT = CheckContext("pdf", Arm.WITH_SKILL, prompt="Add it up")
CRITERIA = [{"text": "names the total", "weight": 2}, {"text": "is short"}, {"text": "cites the source"}]


def rubric(minimum: str | None) -> Check:
    return Check("rubric", {"criteria": CRITERIA, **({"min": minimum} if minimum else {})})


def vote(*met: bool) -> dict[str, Any]:
    return {f"criterion_{position + 1}": {"evidence": f"why {position + 1}", "met": each} for position, each in enumerate(met)}


def result(minimum: str | None, *votes: dict[str, Any]) -> CheckResult:
    return judge(rubric(minimum), Transcript(Reply("3")), replace(CONTEXT, rule=voting(votes)))


@pytest.mark.parametrize(
    ("minimum", "met", "held"),
    [
        ("0.75", (True, True, False), True),
        ("0.76", (True, True, False), False),
        ("0.5", (False, True, True), True),
        ("0.5", (False, True, False), False),
        ("0", (False, False, False), True),
        (None, (True, True, False), False),
        (None, (True, True, True), True),
    ],
)
def test_what_is_met_has_to_weigh_at_least_the_floor(minimum: str | None, met: tuple[bool, ...], held: bool) -> None:
    assert result(minimum, vote(*met)).held is held


def test_the_evidence_names_what_is_not_met() -> None:
    evidence = result("0.9", vote(True, False, False)).evidence
    assert evidence == 'judge: 0.50 of the weight is met, 0.9 asked for; not met: "is short", "cites the source": why 2'


def test_one_question_has_every_criterion_and_an_answer_must_have_each_once() -> None:
    (asked,) = asking(rubric("0.7"), Transcript(Reply("3")), CONTEXT)
    assert "criterion_1: names the total\ncriterion_2: is short\ncriterion_3: cites the source" in asked.text
    assert asked.schema["required"] == ["criterion_1", "criterion_2", "criterion_3"]
    assert asked.schema["additionalProperties"] is False


def test_each_vote_is_held_against_the_floor_by_itself() -> None:
    found = result("0.7", vote(True, True, True), vote(False, True, True), vote(False, True, True))
    assert (found.held, found.votes, found.agreeing) == (False, 3, 2)
