from __future__ import annotations

import pytest
from msgspec import UNSET

from selftune_build.gates.foresight import Suite, still_open, unsettleable
from selftune_build.model.case import Case, Check
from selftune_build.model.lock import Row
from selftune_build.model.manifest import GateSetting

CHECK = Check("contains")


def row(n: int, triggered: int | None = None, passed: int | None = None) -> Row:
    return Row("sha256:k", (), n, "sha256:e", UNSET if triggered is None else triggered, UNSET if passed is None else passed)


def suite(*evals: Case, units: tuple[Case, ...] = ()) -> Suite:
    return Suite(evals, units, lambda check: True)


RECALL = suite(*(Case(f"t{i}", should_trigger=True) for i in range(5)))
TASKS = suite(*(Case(f"t{i}", checks=(CHECK,)) for i in range(5)))


def test_a_suite_that_is_large_enough_gives_no_warning() -> None:
    assert unsettleable(RECALL, {}, 0.95) == []
    assert unsettleable(TASKS, {}, 0.95) == []


def test_a_suite_that_is_too_small_is_told_how_many_cases_would_do() -> None:
    assert unsettleable(suite(*TASKS.evals[:3]), {}, 0.95) == [
        "task-pass-rate cannot be settled: 3 cases cannot show a rate of at least 0.50; 5 would do",
        "lift cannot be settled: 3 cases cannot show a lift above 0.00; 5 would do",
    ]
    assert unsettleable(RECALL, {"trigger-recall": GateSetting(min=0.9)}, 0.95) == [
        "trigger-recall cannot be settled: 5 cases cannot show a rate of at least 0.90; 29 would do"
    ]


def test_a_named_gate_without_a_case_and_an_impossible_minimum_are_told_too() -> None:
    settings = {"trigger-specificity": GateSetting(), "trigger-recall": GateSetting(min=1.0)}
    assert unsettleable(RECALL, settings, 0.95) == [
        "trigger-recall cannot be settled: 5 cases cannot show a rate of at least 1.00; no number of cases can, "
        "choose a lower minimum",
        "trigger-specificity cannot be settled: 0 cases cannot show a rate of at least 0.50; 5 would do",
    ]


def test_a_disabled_gate_is_not_warned_about() -> None:
    off = {"trigger-recall": GateSetting(min=0.9, enabled=False)}
    assert unsettleable(RECALL, off, 0.95) == []


def recall_open(first_missed: int, left: int, minimum: float | None = None) -> bool:
    rows = {f"t{i}": {"with_skill": row(1, int(i >= first_missed))} for i in range(5)}
    more = {f"t{i}": {"with_skill": left} for i in range(5)}
    return still_open(RECALL, {"trigger-recall": GateSetting(min=minimum)}, 0.95, rows, more, ["trigger-recall"])


def test_a_gate_stays_open_while_the_samples_left_could_pass_it() -> None:
    assert recall_open(first_missed=0, left=2)
    assert not recall_open(first_missed=1, left=2), "one miss in five cases: no outcome shows 0.5"
    assert recall_open(first_missed=1, left=2, minimum=0.3), "shown by 4 of 5, which 4.67 still is"
    assert not recall_open(first_missed=5, left=2, minimum=0.3)


def test_a_case_that_was_not_sampled_yet_can_still_do_anything() -> None:
    rows = {f"t{i}": {"with_skill": row(1, 1)} for i in range(4)}
    assert still_open(RECALL, {}, 0.95, rows, {}, ["trigger-recall"])


def test_a_gate_that_the_suite_can_never_pass_does_not_stop_the_others() -> None:
    rows = {f"t{i}": {"with_skill": row(1, 0)} for i in range(5)}
    assert still_open(RECALL, {"trigger-recall": GateSetting(min=0.9)}, 0.95, rows, {}, ["trigger-recall", "lift", "spec"])


@pytest.mark.parametrize(("baseline_passed", "is_open"), [(0, True), (1, False)])
def test_the_lift_looks_at_both_arms(baseline_passed: int, is_open: bool) -> None:
    rows = {f"t{i}": {"with_skill": row(1, 0, 1), "without_skill": row(3, 0, baseline_passed)} for i in range(5)}
    assert still_open(TASKS, {}, 0.95, rows, {f"t{i}": {"with_skill": 2} for i in range(5)}, ["lift"]) is is_open


def test_a_failed_script_closes_and_an_open_agent_unit_test_does_not() -> None:
    units = (Case("s", run=("x",), checks=(CHECK,)), Case("a", checks=(CHECK,)))
    both = suite(units=units)
    agent = {"a": {"with_skill": row(1, 0, 0)}}
    left = {"a": {"with_skill": 2}}
    assert still_open(both, {}, 0.95, {**agent, "s": {"script": row(1, None, 1)}}, left, ["unit-tests"])
    assert not still_open(both, {}, 0.95, {**agent, "s": {"script": row(1, None, 0)}}, left, ["unit-tests"])
    assert not still_open(both, {}, 0.95, agent, {"a": {"with_skill": 1}}, ["unit-tests"])
