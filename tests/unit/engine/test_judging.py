"""Samples → the row of the lock and the checks that failed."""

from __future__ import annotations

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from selftune_build.engine.judging.evidence import evidence_digest
from selftune_build.engine.judging.row import activated, holds_today, judge_row
from selftune_build.graph.cohorts import Counted
from selftune_build.model.case import Arm, Check
from selftune_build.model.lock import Row
from selftune_build.model.report import Failure
from selftune_build.model.sample import Sample
from tests.unit.engine.rows import CASE, CONTAINS, sample, spec

GOOD, BAD = sample(), sample("No idea", used=())


def counted(*samples: Sample) -> Counted:
    return Counted(samples, ("brew:body",))


def judged(*samples: Sample, **case: object) -> tuple[Row, tuple[Failure, ...]]:
    judgement = judge_row(spec(replace(CASE, **case)), counted(*samples), None)
    return judgement.row, judgement.failures


def test_a_row_counts_samples_activations_and_those_in_which_every_check_held() -> None:
    row, _ = judged(GOOD, BAD, GOOD)
    assert (row.n, row.triggered, row.passed, row.observed) == (3, 2, 2, ("brew:body",))
    assert row.evidence == evidence_digest([GOOD, GOOD, BAD])


def test_a_sample_passes_only_where_all_checks_hold() -> None:
    row, failures = judged(GOOD, GOOD, checks=(CONTAINS, Check("contains", {"text": "water"})))
    assert row.passed == 0
    assert [(failure.check, failure.failed, failure.n) for failure in failures] == [('contains "water"', 2, 2)]


def test_without_checks_nothing_is_said_of_passing() -> None:
    assert judged(GOOD, checks=())[0].passed is UNSET


def test_a_check_that_cannot_be_measured_leaves_the_whole_row_undecided() -> None:
    row, failures = judged(GOOD, checks=(CONTAINS, Check("sentence", {"text": "is kind"})))
    assert row.passed is UNSET
    assert [failure.check.partition(" ")[0] for failure in failures] == ["sentence"]


def test_what_cannot_be_measured_does_not_hide_what_failed() -> None:
    assert judged(BAD, checks=(CONTAINS, Check("sentence", {"text": "is kind"})))[0].passed == 0


def test_an_agent_that_does_not_tell_what_it_used_leaves_activation_open() -> None:
    row, failures = judged(GOOD, sample(used=None))
    assert (row.triggered, [failure.check for failure in failures]) == (UNSET, [])


def test_a_sample_that_ran_out_of_time_failed_and_did_not_activate() -> None:
    late = sample("beans", limit=True)
    row, failures = judged(GOOD, late)
    assert (row.n, row.passed, row.triggered, activated(spec(), late)) == (2, 1, 1, False)
    assert ("limit", 1, 2) in {(failure.check, failure.failed, failure.n) for failure in failures}


def test_a_sample_that_ran_out_of_time_is_against_whatever_the_case_wants_and_scores_nowhere() -> None:
    late = sample("beans", limit=True, used=())
    row, failures = judged(late, late, sample("beans", used=()), should_trigger=False, checks=())
    assert (row.n, row.triggered) == (3, 2)
    assert ("should not trigger", 2, 3) in {(failure.check, failure.failed, failure.n) for failure in failures}
    assert judged(late, should_trigger=True, checks=())[0].triggered == 0


@pytest.mark.parametrize(("wanted", "label", "failed"), [(True, "should trigger", 1), (False, "should not trigger", 2)])
def test_activation_against_the_polarity_is_a_failure_with_what_was_used_instead(wanted: bool, label: str, failed: int) -> None:
    _, failures = judged(GOOD, GOOD, sample("beans", used=("bake",)), should_trigger=wanted)
    (wrong,) = (failure for failure in failures if failure.check == label)
    assert (wrong.failed, wrong.n, wrong.evidence) == (failed, 3, "skills used: bake" if wanted else "skills used: brew")


def test_without_the_skill_nothing_is_said_of_activation() -> None:
    judgement = judge_row(spec(arm=Arm.WITHOUT_SKILL), counted(BAD), None)
    assert (judgement.row.triggered, [failure.check for failure in judgement.failures]) == (UNSET, ['contains "beans"'])


def test_the_row_of_today_holds_today() -> None:
    row, _ = judged(GOOD)
    assert holds_today(spec(), row)


@pytest.mark.parametrize(
    ("now", "holds"),
    [
        (spec(milk="other"), True),
        (spec(body="other"), False),
        (spec(metadata="other"), False),
        (spec(replace(CASE, prompt="Make tea")), False),
        (spec(replace(CASE, checks=())), False),
        (spec(replace(CASE, should_trigger=False)), False),
        (spec(replace(CASE, id="renamed")), True),
        (spec(needed=9), True),
        (spec(replace(CASE, observe_package=True)), False),
    ],
)
def test_a_row_holds_while_nothing_that_it_rests_on_has_changed(now: object, holds: bool) -> None:
    row, _ = judged(GOOD)
    assert holds_today(now, row) is holds  # type: ignore[arg-type]  # a parameter of pytest has no type


def test_the_order_of_samples_is_not_in_the_row() -> None:
    assert judged(GOOD, BAD)[0] == judged(BAD, GOOD)[0]
