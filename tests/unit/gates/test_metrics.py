from __future__ import annotations

import pytest
from msgspec import UNSET
from scipy.stats import binomtest

from selftune_build.gates.facts import Facts, gather
from selftune_build.gates.metrics import metrics
from selftune_build.model.case import Case, Check
from selftune_build.model.lock import Row
from selftune_build.stats.paired import lower_end, upper_end

CHECK = Check("contains")


def row(n: int, triggered: int | None = None, passed: int | None = None) -> Row:
    return Row("sha256:k", (), n, "sha256:e", UNSET if triggered is None else triggered, UNSET if passed is None else passed)


def facts_of(cases: list[tuple[Case, dict[str, Row]]], units: list[tuple[Case, dict[str, Row]]] | None = None) -> Facts:
    units = units or []
    rows = {case.id: arms for case, arms in cases + units}
    return gather([case for case, _ in cases], [case for case, _ in units], rows, lambda check: True)


def test_a_package_without_cases_has_no_metrics() -> None:
    assert metrics(facts_of([]), 0.95) == {}


def test_rates_have_wilson_intervals_over_the_decided_cases() -> None:
    cases = [(Case(f"t{i}", should_trigger=True), {"with_skill": row(1, int(i < 9))}) for i in range(10)]
    cases += [(Case("untold", should_trigger=True), {"with_skill": row(1)}), (Case("gone", should_trigger=True), {})]
    recall = metrics(facts_of(cases), 0.95)["trigger_recall"]
    expected = binomtest(9, 10).proportion_ci(0.95, method="wilson")
    assert (recall.value, recall.n) == (0.9, 10)
    assert (recall.low, recall.high) == pytest.approx((expected.low, expected.high))


def test_samples_do_not_narrow_an_interval_only_cases_do() -> None:
    few = metrics(facts_of([(Case("a", checks=(CHECK,)), {"with_skill": row(1, 0, 1)})]), 0.95)["task_pass_rate"]
    many = metrics(facts_of([(Case("a", checks=(CHECK,)), {"with_skill": row(99, 0, 99)})]), 0.95)["task_pass_rate"]
    assert few == many


def test_each_metric_is_there_where_something_measures_it() -> None:
    both = {"with_skill": row(2, 1, 1), "without_skill": row(2, 0, 0)}
    cases = [
        (Case("a", should_trigger=True, checks=(CHECK,)), both),
        (Case("b", should_trigger=False), {"with_skill": row(4, 1)}),
    ]
    units = [
        (Case("s", run=("x",), checks=(CHECK,)), {"script": row(1, None, 1)}),
        (Case("f", run=("x",), checks=(CHECK,)), {"script": row(1, None, 0)}),
        (Case("u", run=("x",), checks=(CHECK,)), {}),
    ]
    found = metrics(facts_of(cases, units), 0.95)
    assert {name: (metric.value, metric.n) for name, metric in found.items()} == {
        "trigger_recall": (0.5, 1),
        "trigger_specificity": (0.75, 1),
        "task_pass_rate": (0.5, 1),
        "unit_tests": (0.5, 2),
        "lift": (0.5, 1),
    }


def test_the_lift_has_the_interval_of_its_test() -> None:
    cases = [
        (Case(f"c{i}", checks=(CHECK,)), {"with_skill": row(1, 0, int(i < 7)), "without_skill": row(1, 0, int(i > 7))})
        for i in range(10)
    ]
    lift = metrics(facts_of(cases), 0.95)["lift"]
    assert (lift.value, lift.n) == (0.5, 10)
    assert (lift.low, lift.high) == (lower_end(7, 2, 10, 0.95), upper_end(7, 2, 10, 0.95))


def test_a_lift_always_lies_in_its_interval_even_where_undecided_cases_rule_it_out() -> None:
    won = [(Case(f"w{i}", checks=(CHECK,)), {"with_skill": row(1, 0, 1), "without_skill": row(1, 0, 0)}) for i in range(5)]
    untold = [(Case(f"u{i}", checks=(CHECK,)), {"with_skill": row(1, 0), "without_skill": row(1, 0, 1)}) for i in range(60)]
    lift = metrics(facts_of(won + untold), 0.95)["lift"]
    assert (lift.value, lift.high, lift.n) == (1.0, 1.0, 5)
    assert lift.low < 0
