"""Two answers side by side: a preference counts only where it follows the answer and not its position."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from selftune_build.checks.context import CheckContext
from selftune_build.checks.pairwise import judge
from selftune_build.model.case import Arm, Check
from selftune_build.model.sample import Reply, Transcript
from tests.unit.checks.judges import asking, voting

WITH, WITHOUT = Transcript(Reply("with it")), Transcript(Reply("without it"))
CONTEXT = CheckContext("pdf", Arm.WITH_SKILL, prompt="Add it up", other=WITHOUT)
CHECK = Check("pairwise", {"text": "Which one is complete?"})
LENIENT = Check("pairwise", {"text": "Which one is complete?", "or-equal": True})


def test_both_answers_are_shown_twice_with_their_positions_swapped() -> None:
    first, second = (asked.text for asked in asking(CHECK, WITH, CONTEXT))
    assert first.index("without it") > first.index("with it")
    assert second.index("without it") < second.index("with it\n")
    assert all("Criterion: Which one is complete?" in text for text in (first, second))


@pytest.mark.parametrize(
    ("before", "swapped", "strict", "lenient"),
    [
        ("first", "second", True, True),
        ("second", "first", False, False),
        ("first", "first", False, True),
        ("second", "second", False, True),
        ("neither", "neither", False, True),
        ("first", "neither", False, True),
        ("neither", "first", False, True),
    ],
)
def test_what_two_answers_amount_to(before: str, swapped: str, strict: bool, lenient: bool) -> None:
    def held(check: Check) -> bool | None:
        answers = [[{"better": each, "evidence": "because"}] for each in (before, swapped)]
        return judge(check, WITH, replace(CONTEXT, rule=voting(*answers))).held

    assert (held(CHECK), held(LENIENT)) == (strict, lenient)


def test_a_preference_that_goes_with_the_position_is_said_to_be_none() -> None:
    rule = voting([{"better": "first", "evidence": "a"}], [{"better": "first", "evidence": "b"}])
    assert "goes with the position" in judge(CHECK, WITH, replace(CONTEXT, rule=rule)).evidence


def test_without_the_other_answer_nothing_is_compared() -> None:
    result = judge(CHECK, WITH, replace(CONTEXT, rule=voting(), other=None))
    assert (result.held, "without the skill" in result.evidence) == (None, True)


def test_a_run_without_the_skill_that_used_up_its_time_loses_without_a_judge() -> None:
    assert judge(CHECK, WITH, replace(CONTEXT, rule=voting(), other=Transcript(Reply(""), limit=True))).held is True
