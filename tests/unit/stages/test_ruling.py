"""What a judge is asked as a row: what its key covers, what it does not, and that keys stay what they are."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from selftune_build.checks.votes import Asked
from selftune_build.engine.judging.row import inputs_today
from selftune_build.fingerprint.keys import row_key
from selftune_build.model.case import Arm, Check
from selftune_build.model.manifest import Limits, Manifest
from selftune_build.stages.row import JudgedBy, RowSpec
from selftune_build.stages.ruling import ruling_spec
from tests.unit.engine.rows import CASE, CONTAINS, spec

ASKED = Asked("Is it so?", {"type": "object"})
JUDGE = JudgedBy({"plugin": "house", "model": "m-1"}, votes=3)
PAIR = Check("pairwise", {"text": "better?"})


def key(asked: Asked = ASKED, judge: JudgedBy = JUDGE, row: RowSpec | None = None) -> str:
    return ruling_spec(row or spec(), asked, judge).key


def judged(*checks: Check, judge: JudgedBy = JUDGE, **more: Any) -> RowSpec:
    return replace(spec(replace(CASE, checks=checks)), judge=judge, **more)


def today(row: RowSpec) -> str:
    return row_key(inputs_today(row, ["brew:body"]))


def test_the_key_of_a_question_covers_its_words_its_schema_and_the_judge() -> None:
    others = [
        key(replace(ASKED, text="Is it not?")),
        key(replace(ASKED, schema={"type": "array"})),
        key(judge=replace(JUDGE, identity={"plugin": "house", "model": "m-2"})),
    ]
    assert len({key(), *others}) == 4


def test_neither_votes_nor_limits_nor_the_row_are_part_of_it() -> None:
    brew = spec()
    patient = replace(brew, package=replace(brew.package, manifest=Manifest(limits=Limits(timeout_s=7))))
    others = [spec(replace(CASE, id="other")), spec(arm=Arm.WITHOUT_SKILL), patient]
    assert {key(judge=replace(JUDGE, votes=9)), *(key(row=row) for row in others)} == {key()}


def test_keys_of_questions_and_of_judged_rows_are_what_they_were() -> None:
    assert key() == "sha256:b523adba7cbb0058377a7db57cef46bc00ef3454081e1b8d53f5dad162b1a592"
    assert inputs_today(judged(PAIR, baseline="sha256:0"), []) == {
        "asked": spec().key,
        "baseline": "sha256:0",
        "check 1": {"kind": "pairwise", "params": {"text": "better?"}},
        "instructions": "sha256:92ad3f02f664cfcd6eb35b0fa6fbe416cb7beb63ad0ccc59898e9fc1169e14f6",
        "judge model": "m-1",
        "judge plugin": "house",
        "should_trigger": True,
        "votes": 3,
    }


def test_a_row_key_covers_judge_votes_and_policy_and_the_other_side_of_a_comparison() -> None:
    variants = [
        judged(PAIR),
        judged(PAIR, judge=replace(JUDGE, votes=1)),
        judged(PAIR, judge=replace(JUDGE, refuses_family=True)),
        judged(PAIR, judge=JudgedBy({"plugin": "house"}, 3)),
        judged(PAIR, baseline="sha256:0"),
        judged(PAIR, judge=None),
    ]
    assert len(set(map(today, variants))) == len(variants)


def test_a_row_that_nobody_rules_on_has_the_key_it_always_had() -> None:
    assert (
        today(spec(replace(CASE, checks=(CONTAINS,))))
        == "sha256:371ab51975b6afbdce3a3713c24835a2a7a0cc0582510d8b6344beeb6abcaa0f"
    )
