"""What was measured, with intervals, whatever the gates make of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from selftune_build.gates.facts import (
    Facts,
    behaviour,
    lift_cases,
    pairs,
    passes,
    recall_cases,
    specificity_cases,
    task_cases,
)
from selftune_build.gates.unit_tests import unit_test_verdict
from selftune_build.model.verdict import Metric, Verdict
from selftune_build.stats.bounds import Bounds, decided, exactly, total
from selftune_build.stats.intervals import wilson
from selftune_build.stats.lift import Pair, lift_interval, measured_lift


def metrics(facts: Facts, confidence: float) -> dict[str, Metric]:
    """Every metric that at least one decided case measures; values and n are those of the decided cases.

    Rates have two-sided Wilson intervals. The interval of the lift holds what the lift gate would neither pass nor fail.
    """
    rates = {
        "trigger_recall": behaviour(recall_cases(facts)),
        "trigger_specificity": behaviour(specificity_cases(facts)),
        "task_pass_rate": passes(task_cases(facts)),
        "unit_tests": _held(facts),
    }
    measured = {name: rate_metric(bounds, confidence) for name, bounds in rates.items()}
    measured["lift"] = lift_metric(pairs(lift_cases(facts)), confidence)
    return {name: metric for name, metric in measured.items() if metric is not None}


def rate_metric(cases: Iterable[Bounds], confidence: float) -> Metric | None:
    """Mean of the decided cases with its Wilson interval; None without one."""
    means = decided(cases)
    if not means:
        return None
    held, n = float(total(means)), len(means)
    return Metric(held / n, *wilson(held, n, confidence), n)


def lift_metric(cases: Sequence[Pair], confidence: float) -> Metric | None:
    """Mean difference of the decided cases; the interval reckons with the undecided ones too. None without a decided one."""
    value = measured_lift(cases)
    if value is None:
        return None
    low, high = lift_interval(cases, confidence)
    # Undecided cases can rule out the mean of the decided ones for the whole suite; an interval beside its value would mislead.
    return Metric(float(value), min(low, float(value)), max(high, float(value)), sum(pair.decided for pair in cases))


def _held(facts: Facts) -> list[Bounds]:
    verdicts = (unit_test_verdict(case) for case in facts.unit_tests)
    return [exactly(int(verdict is Verdict.PASS)) for verdict in verdicts if verdict is not Verdict.INCONCLUSIVE]
