"""Comparisons with the answer without the skill, judges of the agent's own family, and the model library as a judge."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.judging import SENTENCE, Bench, codes, package, stage

PAIR = {"id": "tea", "prompt": "Make tea", "should_trigger": True, "checks": [{"pairwise": "Which is done by the book?"}]}
MODELS = ({"role": "run", "model": "claude-opus-9"}, {"role": "complete", "model": "claude-haiku-9"})


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.cases(PAIR)
    return bench


def findings(report: dict[str, Any]) -> dict[str, str]:
    return {finding["code"]: finding["message"] for finding in package(report)["findings"]}


def test_both_answers_are_compared_twice_with_their_positions_swapped(bench: Bench) -> None:
    report = bench.build()
    assert (bench.calls, report["exit_code"], bench.row()["passed"]) == ((4, 2), 0, 2)
    orders = [call["prompt"].index("by the book\n") < call["prompt"].index("by heart\n") for call in bench.ledger("complete")]
    assert sorted(orders) == [False, True]
    assert "passed" not in bench.row(arm="without_skill"), "the comparison is a check of the answer with the skill"
    assert (bench.build()["exit_code"], bench.calls) == (0, (0, 0))
    assert (bench.build("--locked")["exit_code"], bench.calls) == (0, (0, 0))


def test_a_judge_that_always_prefers_the_first_has_no_preference(bench: Bench) -> None:
    bench.behave({"role": "complete", "better": "first"})
    report = bench.build()
    assert (bench.row()["passed"], report["exit_code"]) == (0, 3)
    assert "goes with the position" in package(report)["failures"][0]["evidence"]
    bench.cases({**PAIR, "checks": [{"pairwise": {"text": "Which is done by the book?", "or-equal": True}}]})
    assert (bench.build()["exit_code"], bench.calls, bench.row()["passed"]) == (0, (4, 2), 2)


def test_new_answers_without_the_skill_are_compared_anew(bench: Bench) -> None:
    bench.build()
    key = bench.row()["key"]
    bench.behave({"role": "run", "sample": 2, "output": "Make tea: done differently"})
    assert bench.calls == (4, 2)
    bench.build("baseline", "--resample", "1")
    assert (bench.calls, bench.row(arm="without_skill")["n"]) == ((1, 0), 3)
    # Sample r goes with sample r, so nobody has to rule on the third; what lies behind the row is another all the same.
    assert (bench.row()["n"], bench.row()["passed"], bench.row()["key"] == key) == (2, 2, False)
    assert bench.build("--locked")["exit_code"] == 0
    bench.build("replay", "--resample", "1")
    # Two answers that are the same are one question, whichever comes first, and leave nothing to prefer.
    assert (bench.calls, bench.row()["n"], bench.row()["passed"]) == ((1, 1), 3, 2)


def test_a_new_comparison_in_a_fresh_clone_takes_both_answers_anew(bench: Bench) -> None:
    bench.build()
    shutil.rmtree(bench.workspace.environment["SELFTUNE_STORE"])
    assert (bench.build()["exit_code"], bench.calls) == (0, (4, 2))
    bench.cases({**PAIR, "checks": [{"pairwise": "Which went by the book?"}]})
    plan = bench.build("--dry-run")
    assert (stage(plan)["run"], stage(plan, "baseline")["run"]) == (1, 1)
    assert (bench.build()["exit_code"], bench.calls, bench.row()["passed"]) == (0, (4, 2), 2)


def test_without_its_other_side_nothing_is_compared(bench: Bench) -> None:
    report = bench.build("replay")
    assert (bench.calls, report["exit_code"], "passed" in bench.row()) == ((2, 0), 3, False)
    assert "no answer without the skill" in package(report)["failures"][0]["evidence"]
    assert (bench.build()["exit_code"], bench.calls, bench.row()["passed"]) == (0, (2, 2), 2)


def test_models_of_one_family_are_found_by_what_served(bench: Bench) -> None:
    bench.behave(*MODELS)
    report = bench.build()
    assert report["exit_code"] == 0
    assert findings(report)["judge-family"].startswith("the judge jury is of the same family as the agent house: claude")


def test_models_of_one_family_are_found_by_what_is_asked_also_under_locked(bench: Bench) -> None:
    bench.manifest(model="gpt-5", judge={"agent": "jury", "model": "o4-mini"})
    assert findings(bench.build())["judge-family"].endswith("gpt; models favour answers like their own")
    assert "gpt" in findings(bench.build("--locked"))["judge-family"]
    bench.manifest(model="gpt-5", judge={"agent": "jury", "model": "claude-haiku-4-5"})
    assert "judge-family" not in findings(bench.build())


@pytest.mark.parametrize(
    "setting",
    [{"model": "gpt-5", "judge": {"agent": "jury", "model": "o4-mini"}}, {"judge": "house"}],
    ids=["family", "same agent"],
)
def test_a_judge_that_the_policy_refuses_is_not_asked(bench: Bench, setting: dict[str, Any]) -> None:
    bench.cases(SENTENCE)
    bench.manifest(policy={"judge_family": "refuse"}, **setting)
    report = bench.build("replay")
    assert (bench.calls, report["exit_code"], "passed" in bench.row()) == ((2, 0), 3, False)
    assert codes(report) == {"judge-family"}
    assert "policy.judge_family refuses" in package(report)["failures"][0]["evidence"]
    assert "judge" not in bench.entry
    assert bench.build("replay", "--locked")["exit_code"] == 3
    bench.manifest(**setting)
    report = bench.build("replay")
    assert (bench.calls, report["exit_code"], "judge-family" in findings(report)) == ((0, 1), 0, True)


def test_rulings_of_a_family_that_shows_only_when_it_serves_do_not_count_where_that_is_refused(bench: Bench) -> None:
    bench.cases(SENTENCE)
    bench.behave(*MODELS)
    bench.manifest(policy={"judge_family": "refuse"})
    report = bench.build("replay")
    assert (bench.calls, report["exit_code"], "passed" in bench.row()) == ((2, 1), 3, False)
    assert "(claude)" in package(report)["failures"][0]["evidence"]
    bench.manifest()
    assert (bench.build("replay")["exit_code"], bench.calls, bench.row()["passed"]) == (0, (0, 0), 2)


def test_an_agent_can_judge_itself_and_is_told_so(bench: Bench) -> None:
    bench.cases(SENTENCE)
    bench.manifest(judge="house")
    report = bench.build("replay")
    assert (bench.calls, report["exit_code"]) == ((2, 1), 0)
    assert "the same agent" in findings(report)["judge-family"]
