from __future__ import annotations

from fractions import Fraction

import pytest
from msgspec import UNSET

from selftune_build.gates.facts import gather, measures_anything
from selftune_build.gates.outcomes import CaseOutcome, outcomes
from selftune_build.gates.unit_tests import unit_tests_decision
from selftune_build.model.case import Arm, Case, Check
from selftune_build.model.lock import Row
from selftune_build.model.verdict import Verdict
from selftune_build.stats.bounds import UNDECIDED, Bounds, exactly

OUTCOME, USE = Check("contains"), Check("skill-used")


def is_outcome(check: Check) -> bool:
    return check.kind != "skill-used"


def row(n: int, triggered: int | None = None, passed: int | None = None) -> Row:
    return Row("sha256:k", (), n, "sha256:e", UNSET if triggered is None else triggered, UNSET if passed is None else passed)


def one(case: Case, **rows: Row) -> CaseOutcome:
    (outcome,) = outcomes([case], {case.id: rows}, is_outcome)
    return outcome


def test_counts_become_means_of_the_case() -> None:
    case = Case("a", should_trigger=True, checks=(OUTCOME,))
    outcome = one(case, with_skill=row(3, 2, 1), without_skill=row(4, None, 3))
    assert outcome.behaved == exactly(Fraction(2, 3))
    assert outcome.passed == exactly(Fraction(1, 3))
    assert outcome.baseline == exactly(Fraction(3, 4))
    assert outcome.missing == ()


def test_a_case_that_should_not_trigger_behaves_where_it_did_not() -> None:
    assert one(Case("a", should_trigger=False), with_skill=row(3, 1)).behaved == exactly(Fraction(2, 3))


def test_what_a_case_does_not_say_it_does_not_measure() -> None:
    outcome = one(Case("a"), with_skill=row(3, 1, 1))
    assert (outcome.behaved, outcome.passed, outcome.baseline, outcome.missing) == (None, None, None, ())


def test_checks_on_the_use_of_the_skill_are_not_compared() -> None:
    outcome = one(Case("a", checks=(USE,)), with_skill=row(3, 1, 1))
    assert outcome.passed == exactly(Fraction(1, 3))
    assert outcome.baseline is None
    assert outcome.missing == ()


def test_a_check_that_only_the_arm_without_the_skill_has_to_meet_makes_no_lift() -> None:
    harder = Check("contains", arms=(Arm.WITHOUT_SKILL,))
    outcome = one(Case("a", checks=(OUTCOME, harder)), with_skill=row(3, 1, 3), without_skill=row(3, None, 0))
    assert (outcome.passed, outcome.baseline) == (exactly(1), None)
    assert one(Case("a", checks=(harder,)), without_skill=row(3, None, 0)).passed is None


def test_an_agent_that_does_not_tell_leaves_the_case_undecided_but_not_missing() -> None:
    outcome = one(Case("a", should_trigger=False, checks=(USE,)), with_skill=row(3))
    assert (outcome.behaved, outcome.passed, outcome.missing) == (UNDECIDED, UNDECIDED, ())


def test_a_case_without_rows_is_undecided_and_missing() -> None:
    outcome = one(Case("a", should_trigger=True, checks=(OUTCOME,)))
    assert (outcome.behaved, outcome.passed, outcome.baseline) == (UNDECIDED, UNDECIDED, UNDECIDED)
    assert outcome.missing == ("with_skill", "without_skill")
    assert one(Case("s", run=("x",), checks=(OUTCOME,))).missing == ("script",)


@pytest.mark.parametrize("impossible", [row(0, 0, 0), row(3, 4, 4), row(3, -1, -1), row(-2, 0, 0)])
def test_counts_that_no_row_can_hold_decide_nothing(impossible: Row) -> None:
    outcome = one(Case("a", should_trigger=True, checks=(USE,)), with_skill=impossible)
    assert (outcome.behaved, outcome.passed) == (UNDECIDED, UNDECIDED)


def test_bounds_reckon_with_the_samples_that_are_left() -> None:
    case = Case("a", should_trigger=False, checks=(OUTCOME,))
    rows = {"a": {"with_skill": row(2, 1, 2), "without_skill": row(1, None, 0)}}
    (outcome,) = outcomes([case], rows, is_outcome, {"a": {"with_skill": 2, "without_skill": 3}})
    assert outcome.behaved == Bounds(Fraction(1, 4), Fraction(3, 4))
    assert outcome.passed == Bounds(Fraction(1, 2), Fraction(1))
    assert outcome.baseline == Bounds(Fraction(0), Fraction(3, 4))


def test_scripts_are_unit_tests_wherever_they_were_declared() -> None:
    script, agent = Case("s", run=("x",), checks=(OUTCOME,)), Case("a", prompt="p")
    facts = gather([script, agent], [Case("u")], {}, is_outcome)
    assert [case.id for case in facts.evals] == ["a"]
    assert [case.id for case in facts.unit_tests] == ["u", "s"]


def test_an_agent_case_among_the_unit_tests_is_decided_although_nobody_asks_it_without_the_skill() -> None:
    case = Case("polite", checks=(OUTCOME,))
    (outcome,) = gather([], [case], {"polite": {"with_skill": row(3, 3, 3)}}, is_outcome).unit_tests
    assert (outcome.missing, outcome.baseline) == ((), None)
    assert unit_tests_decision([outcome]).verdict is Verdict.PASS


def test_prompts_alone_measure_nothing() -> None:
    assert not measures_anything(gather([Case("a", prompt="p")], [], {}, is_outcome))
    assert measures_anything(gather([Case("a", should_trigger=False)], [], {}, is_outcome))
    assert measures_anything(gather([Case("a", checks=(USE,))], [], {}, is_outcome))
    assert measures_anything(gather([], [Case("s", run=("x",))], {}, is_outcome))
