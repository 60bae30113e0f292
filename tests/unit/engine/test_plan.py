"""What has to run, and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from selftune_build.engine.judging.row import judge_row
from selftune_build.engine.planning.plan import RowPlan, by_key, kept_row, plan_row, settled_inputs
from selftune_build.fingerprint.keys import Inputs
from selftune_build.graph.cohorts import Counted
from selftune_build.model.lock import AgentEntry, Lock, Row
from selftune_build.stages.row import RowSpec
from tests.unit.engine.rows import CASE, Known, sample, spec


def row(n: int, evidence: str = "b", **texts: str) -> Row:
    """A row that holds for a package with these texts."""
    counted = Counted(tuple(sample() for _ in range(n)), ("brew:body",))
    return replace(judge_row(spec(**texts), counted, None).row, evidence=evidence)


def lock(kept: Row, agent: str = "house") -> Lock:
    return Lock("brew", "sha256:tree", "sha256:policy", {agent: AgentEntry({}, "live", {"black": {"with_skill": kept}})})


def unknown(_: RowSpec) -> Inputs | None:
    return None


def planned(kept: Row | None, evidence: Known, extra: int = 0, asked: bool = True, trace: Inputs | None = None) -> RowPlan:
    return plan_row(spec(), kept, evidence, lambda _: trace, extra, asked)


def codes(plan: RowPlan) -> list[str]:
    return [reason.code for reason in plan.reasons]


# Which row of the lock stays


def test_of_two_sides_of_a_merge_the_row_with_more_samples_is_kept_whichever_side_it_is_on() -> None:
    small, large = row(2, "a"), row(3, "b")
    for sides in ([lock(small), lock(large)], [lock(large), lock(small)]):
        assert kept_row(spec(), sides, "house") == large


def test_of_rows_of_one_size_the_smaller_evidence_is_kept_so_that_both_sides_heal_alike() -> None:
    one, two = row(2, "a"), row(2, "b")
    assert kept_row(spec(), [lock(two), lock(one)], "house") == kept_row(spec(), [lock(one), lock(two)], "house") == one


def test_a_row_of_another_text_is_not_kept_however_large_it_is() -> None:
    mine, other = row(2), row(30, body="other")
    assert kept_row(spec(), [lock(other), lock(mine)], "house") == mine
    assert kept_row(spec(), [lock(other)], "house") is None


def test_a_row_of_another_agent_case_or_arm_is_not_kept() -> None:
    assert kept_row(spec(), [lock(row(2), "guest")], "house") is None
    assert kept_row(spec(replace(CASE, id="latte")), [lock(row(2))], "house") is None
    assert kept_row(spec(), [], "house") is None


# What is missing


def test_a_row_that_suffices_is_kept_without_a_sample_at_hand(tmp_path: Path) -> None:
    kept = row(2)
    plan = planned(kept, Known(tmp_path))
    assert (plan.row, plan.missing, plan.settled, plan.reasons) == (kept, 0, True, ())


def test_samples_at_hand_stand_in_for_a_row_that_is_gone(tmp_path: Path) -> None:
    plan = planned(None, Known(tmp_path, [sample(), sample()]))
    assert (plan.row, len(plan.counted.samples), plan.missing) == (None, 2, 0)


@pytest.mark.parametrize(("there", "missing"), [(0, 2), (1, 1), (2, 0), (5, 0)])
def test_only_what_is_missing_is_asked_for(tmp_path: Path, there: int, missing: int) -> None:
    assert planned(None, Known(tmp_path, [sample() for _ in range(there)])).missing == missing


def test_samples_that_all_ran_out_of_time_count_for_nothing(tmp_path: Path) -> None:
    assert planned(None, Known(tmp_path, [sample(limit=True), sample(limit=True)])).missing == 2
    assert planned(None, Known(tmp_path, [sample(limit=True), sample()])).missing == 0


def test_a_row_larger_than_what_is_at_hand_is_kept_where_nothing_runs(tmp_path: Path) -> None:
    kept = row(1)
    assert planned(kept, Known(tmp_path), asked=False).row == kept


def test_more_samples_on_request_come_on_top_also_of_a_row_that_suffices(tmp_path: Path) -> None:
    plan = planned(row(2), Known(tmp_path, [sample(), sample()]), extra=3)
    assert (plan.missing, codes(plan)) == (3, ["resample"])


def test_on_a_fresh_clone_more_samples_are_more_than_the_lock_has(tmp_path: Path) -> None:
    plan = planned(row(5), Known(tmp_path), extra=2)
    assert (plan.missing, codes(plan)) == (7, ["resample"])
    assert planned(row(5), Known(tmp_path, [sample() for _ in range(4)]), extra=2).missing == 3


def test_a_row_that_nobody_asked_for_never_runs(tmp_path: Path) -> None:
    assert planned(None, Known(tmp_path), asked=False).missing == 0


def test_samples_of_a_text_that_changed_where_they_looked_do_not_count(tmp_path: Path) -> None:
    then = {"earlier": spec(body="earlier").staged.today}
    plan = planned(None, Known(tmp_path, [sample(tree="earlier"), sample(tree="earlier")], then))
    assert (plan.missing, codes(plan)) == (2, ["observed-changed"])
    milk = {"earlier": spec(milk="earlier").staged.today}
    assert planned(None, Known(tmp_path, [sample(tree="earlier"), sample(tree="earlier")], milk)).missing == 0


# Why


def test_a_case_that_never_ran_says_so(tmp_path: Path) -> None:
    assert codes(planned(None, Known(tmp_path))) == ["never-run"]


def test_too_few_samples_say_so(tmp_path: Path) -> None:
    assert codes(planned(None, Known(tmp_path, [sample()]))) == ["n-too-small"]


def test_samples_that_are_elsewhere_say_so(tmp_path: Path) -> None:
    plan = planned(None, Known(tmp_path), trace=settled_inputs(spec(), ["brew:body"]))
    assert codes(plan) == ["evidence-missing"]


@pytest.mark.parametrize(
    ("before", "code"),
    [
        (spec(body="earlier"), "observed-changed"),
        (spec(replace(CASE, prompt="Earlier")), "prompt-changed"),
        (spec(replace(CASE, checks=())), "check-changed"),
        (spec(replace(CASE, should_trigger=False)), "should-trigger-changed"),
    ],
)
def test_each_input_that_changed_since_the_last_build_is_a_reason(tmp_path: Path, before: RowSpec, code: str) -> None:
    assert codes(planned(None, Known(tmp_path), trace=settled_inputs(before, ["brew:body"]))) == [code]


# Rows that share their samples


def test_rows_that_ask_the_same_of_the_same_tree_are_together_and_others_are_not() -> None:
    twin = replace(CASE, id="twin", checks=())
    plans = [RowPlan(each) for each in (spec(), spec(twin), spec(body="other"), spec(replace(CASE, prompt="Other")))]
    assert [[plan.spec.case.id for plan in group] for group in by_key(plans).values()] == [
        ["black", "twin"],
        ["black"],
        ["black"],
    ]


def test_a_row_is_addressed_as_it_is_typed() -> None:
    assert RowPlan(spec()).address == "brew:replay[black]"


def test_nothing_is_known_of_a_row_that_has_no_trace(tmp_path: Path) -> None:
    plan = plan_row(spec(), None, Known(tmp_path), unknown, 0, True)
    assert plan.reasons[0].message == "no evidence for this case yet"
