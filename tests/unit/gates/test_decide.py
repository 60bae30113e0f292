from __future__ import annotations

import pytest
from msgspec import UNSET

from selftune_build.gates.builtin import BUILTIN, Gate
from selftune_build.gates.decide import decide, disabled, overall
from selftune_build.gates.facts import Facts, gather
from selftune_build.model.case import Case, Check
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.model.lock import Row
from selftune_build.model.manifest import GateSetting
from selftune_build.model.verdict import GateResult, Verdict
from selftune_build.stats.decision import Decision

CHECK = Check("contains")
PASS, FAIL, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE


def row(n: int, triggered: int | None = None, passed: int | None = None) -> Row:
    return Row("sha256:k", (), n, "sha256:e", UNSET if triggered is None else triggered, UNSET if passed is None else passed)


def facts_of(
    evals: list[tuple[Case, dict[str, Row]]], units: list[tuple[Case, dict[str, Row]]] | None = None, *findings: Finding
) -> Facts:
    units = units or []
    rows = {case.id: arms for case, arms in evals + units}
    return gather([case for case, _ in evals], [case for case, _ in units], rows, lambda check: True, findings=findings)


def triggers(right: int, n: int, should: bool = True) -> list[tuple[Case, dict[str, Row]]]:
    hit, miss = (3, 0) if should else (0, 3)
    return [(Case(f"t{should}{i}", should_trigger=should), {"with_skill": row(3, hit if i < right else miss)}) for i in range(n)]


def tasks(with_skill: int, without: int, n: int) -> list[tuple[Case, dict[str, Row]]]:
    return [
        (
            Case(f"task{i}", checks=(CHECK,)),
            {"with_skill": row(1, 0, int(i < with_skill)), "without_skill": row(1, 0, int(i < without))},
        )
        for i in range(n)
    ]


def scripts(*passed: int | None, n: int = 1) -> list[tuple[Case, dict[str, Row]]]:
    return [(Case(f"s{i}", run=("x",), checks=(CHECK,)), {"script": row(n, None, count)}) for i, count in enumerate(passed)]


def results(facts: Facts, **settings: GateSetting) -> dict[str, GateResult]:
    named = {name.replace("_", "-"): setting for name, setting in settings.items()}
    return {result.id: result for result in decide(facts, named, 0.95)}


def test_unnamed_gates_apply_only_where_a_case_measures_them() -> None:
    assert list(results(facts_of(triggers(5, 5)))) == ["spec", "trigger-recall"]
    assert list(results(facts_of(triggers(5, 5, should=False)))) == ["spec", "trigger-specificity"]
    assert list(results(facts_of(tasks(5, 0, 5)))) == ["spec", "task-pass-rate", "lift"]
    assert list(results(facts_of([], scripts(1)))) == ["spec", "unit-tests"]


def test_an_unnamed_lift_is_reported_and_not_required() -> None:
    found = results(facts_of(tasks(5, 0, 5)))
    assert (found["lift"].verdict, found["lift"].required) == (PASS, False)
    assert (found["task-pass-rate"].verdict, found["task-pass-rate"].required) == (PASS, True)


def test_a_named_gate_is_required_unless_it_says_otherwise() -> None:
    facts = facts_of(tasks(5, 0, 5))
    assert results(facts, lift=GateSetting())["lift"].required
    assert not results(facts, task_pass_rate=GateSetting(required=False))["task-pass-rate"].required


def test_a_named_gate_that_nothing_measures_is_inconclusive() -> None:
    found = results(facts_of(tasks(5, 0, 5)), trigger_recall=GateSetting(min=0.1), unit_tests=GateSetting())
    for name in ("trigger-recall", "unit-tests"):
        assert (found[name].verdict, found[name].message) == (OPEN, "no case measures this")


def test_a_minimum_of_the_manifest_decides() -> None:
    facts = facts_of(triggers(9, 10))
    assert results(facts)["trigger-recall"].verdict is PASS
    assert results(facts, trigger_recall=GateSetting(min=0.8))["trigger-recall"].verdict is OPEN
    assert results(facts, trigger_recall=GateSetting(min=1))["trigger-recall"].verdict is FAIL


def test_a_minimum_of_zero_is_a_minimum_and_not_the_default() -> None:
    assert results(facts_of(triggers(0, 3)), trigger_recall=GateSetting(min=0.0))["trigger-recall"].verdict is PASS


def test_messages_of_the_trigger_gates() -> None:
    found = results(facts_of(triggers(9, 10) + triggers(1, 9, should=False)))
    assert found["trigger-recall"].message == "9 of 10 cases triggered, shown to be at least 0.50"
    assert found["trigger-specificity"].message == "1 of 9 cases did not trigger, shown to be below 0.50"


def test_a_disabled_gate_is_left_out_and_listed_with_its_reason() -> None:
    off = {"lift": GateSetting(enabled=False, reason="no baseline yet"), "house": GateSetting(enabled=False)}
    assert [r.id for r in decide(facts_of(tasks(5, 0, 5)), off, 0.95)] == ["spec", "task-pass-rate"]
    assert disabled(off) == {"lift": "no baseline yet", "house": ""}


def test_a_gate_that_no_plugin_supplies_is_inconclusive_and_required() -> None:
    found = results(facts_of(triggers(5, 5)), house=GateSetting())
    assert (found["house"].verdict, found["house"].required) == (OPEN, True)
    assert found["house"].message.startswith("plugin-missing")


def test_a_supplied_gate_decides_and_an_asked_one_only_when_it_is_named() -> None:
    house = Gate("house", lambda facts, setting, confidence: Decision(FAIL, f"min {setting.min}"), asked=True)
    facts = facts_of(triggers(5, 5))
    assert "house" not in [r.id for r in decide(facts, {}, 0.95, [*BUILTIN, house])]
    named = decide(facts, {"house": GateSetting(min=0.25)}, 0.95, [*BUILTIN, house])[-1]
    assert named == GateResult("house", FAIL, "min 0.25", True)


def test_missing_evidence_is_named() -> None:
    cases = triggers(4, 4) + [(Case(f"new{i}", should_trigger=True), {}) for i in range(4)]
    found = results(facts_of(cases))["trigger-recall"]
    assert found.verdict is OPEN
    assert found.message == (
        "4 of 8 cases triggered, 4 undecided: not enough to show at least 0.50; no evidence for new0, new1, new2 and 1 more"
    )


def test_a_missing_baseline_keeps_the_lift_open_and_leaves_the_task_gate_alone() -> None:
    cases = tasks(5, 0, 5)
    cases[2][1].pop("without_skill")
    found = results(facts_of(cases))
    assert found["task-pass-rate"].verdict is PASS
    assert found["lift"].verdict is OPEN
    assert found["lift"].message.endswith("; no evidence for task2")


def test_a_case_that_should_not_trigger_still_counts_for_task_and_lift() -> None:
    cases = [
        (Case(f"c{i}", should_trigger=False, checks=(CHECK,)), {"with_skill": row(1, 0, 0), "without_skill": row(1, 0, 1)})
        for i in range(5)
    ]
    found = results(facts_of(cases))
    assert [found[name].verdict for name in ("trigger-specificity", "task-pass-rate", "lift")] == [PASS, FAIL, FAIL]


def test_unit_tests_hold_only_all_together() -> None:
    assert results(facts_of([], scripts(1, 1)))["unit-tests"] == GateResult("unit-tests", PASS, "2 of 2 unit tests held")
    assert results(facts_of([], scripts(1, 0, None, 0)))["unit-tests"].message == "2 of 4 unit tests failed: s1, s3"
    assert results(facts_of([], scripts(2, n=3)))["unit-tests"].verdict is FAIL


def test_unit_tests_nobody_knows_about_are_inconclusive() -> None:
    units = [*scripts(1, None), (Case("gone", run=("x",), checks=(CHECK,)), {})]
    assert results(facts_of([], units))["unit-tests"] == GateResult("unit-tests", OPEN, "no evidence for gone; not decided: s1")


@pytest.mark.parametrize(("passed", "n", "verdict"), [(2, 3, PASS), (1, 2, FAIL), (1, 3, FAIL), (3, 3, PASS)])
def test_an_agent_unit_test_has_to_hold_in_more_than_half_of_its_samples(passed: int, n: int, verdict: Verdict) -> None:
    unit = (Case("u", checks=(CHECK,)), {"with_skill": row(n, n, passed), "without_skill": row(n, 0, 0)})
    assert results(facts_of([], [unit]))["unit-tests"].verdict is verdict


def test_an_agent_unit_test_with_polarity_has_to_do_both() -> None:
    unit = (Case("u", should_trigger=True, checks=(CHECK,)), {"with_skill": row(3, 1, 3), "without_skill": row(3, 0, 0)})
    assert results(facts_of([], [unit]))["unit-tests"].verdict is FAIL


def test_an_agent_unit_test_counts_for_no_rate() -> None:
    unit = (Case("u", should_trigger=True, checks=(CHECK,)), {"with_skill": row(3, 3, 3), "without_skill": row(3, 0, 0)})
    assert list(results(facts_of([], [unit]))) == ["spec", "unit-tests"]


def test_spec_fails_on_errors_alone_and_shows_the_first() -> None:
    note = Finding("a", Severity.WARNING, "long")
    first = Finding("b", Severity.ERROR, "bad \x1b[31mname", Location("SKILL.md", 2))
    assert results(facts_of([]))["spec"].message == "no errors"
    assert results(facts_of([], None, note))["spec"] == GateResult("spec", PASS, "no errors, 1 finding")
    failed = results(facts_of([], None, note, first, Finding("c", Severity.ERROR, "other")))["spec"]
    assert (failed.verdict, failed.message) == (FAIL, "2 errors, first: SKILL.md:2: bad  [31mname")


def test_hostile_case_names_stay_on_one_short_line() -> None:
    units = [(Case("a\n\x1b]0;x\x07" + "b" * 10_000, run=("x",), checks=(CHECK,)), {"script": row(1, None, 0)})]
    message = results(facts_of([], units))["unit-tests"].message
    assert message.isprintable()
    assert len(message) < 150


@pytest.mark.parametrize(
    ("verdicts", "measured", "expected"),
    [
        ([PASS, PASS], True, PASS),
        ([PASS, OPEN], True, OPEN),
        ([OPEN, FAIL, PASS], True, FAIL),
        ([PASS], False, OPEN),
        ([FAIL], False, FAIL),
        ([], True, PASS),
    ],
)
def test_any_fail_is_a_fail_and_any_doubt_is_no_pass(verdicts: list[Verdict], measured: bool, expected: Verdict) -> None:
    assert overall([GateResult(str(i), verdict, "") for i, verdict in enumerate(verdicts)], measured) is expected


def test_gates_that_are_not_required_never_count() -> None:
    assert overall([GateResult("a", PASS, ""), GateResult("lift", FAIL, "", False)], True) is PASS
