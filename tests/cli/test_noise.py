"""`selftune eval noise`: an A/A run with ordinary samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.test_statistics import FICKLE, brewery, coffee, conforms, milk
from tests.property.workspace import Workspace


def noise(workspace: Workspace, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit status and document."""
    status, out, _ = workspace.selftune("eval", "noise", *arguments, "--json", "-C", str(workspace.root))
    document = json.loads(out)
    conforms(document, "selftune-noise-1.json")
    return status, document


def test_it_takes_only_the_samples_that_are_missing_and_leaves_the_lock_alone(tmp_path: Path) -> None:
    workspace = brewery(tmp_path, [coffee(n) for n in range(4)])
    workspace.build("brew")
    locks, before = workspace.locks(), len(workspace.lines())
    status, first = noise(workspace, "brew")
    assert (status, first["agent_calls"]) == (0, 12)
    assert [call["sample"] for call in workspace.lines()[before:]].count(3) == 4
    assert sorted({call["sample"] for call in workspace.lines()[before:]}) == [3, 4, 5]
    assert noise(workspace, "brew")[1]["agent_calls"] == 0
    assert workspace.locks() == locks
    assert workspace.build("brew").report["spend"]["agent_calls"] == 0
    assert workspace.locks() == locks


def test_a_row_that_is_written_anew_counts_every_sample_there_is(tmp_path: Path) -> None:
    workspace = brewery(tmp_path, [coffee(0)])
    workspace.build("brew")
    noise(workspace, "brew")
    workspace.lock_path("brew").unlink()
    assert workspace.build("brew").report["spend"]["agent_calls"] == 0
    assert workspace.rows("brew")["c0"]["with_skill"]["n"] == 6


def test_a_steady_suite_is_never_told_apart_and_the_interval_says_how_little_that_is(tmp_path: Path) -> None:
    workspace = brewery(tmp_path, [coffee(n) for n in range(4)])
    document = noise(workspace, "brew")[1]
    (package,) = document["packages"]
    assert (package["cases"], package["samples"], package["left_out"]) == (4, 3, [])
    ids = ["trigger-recall", "task-pass-rate", "lift", "comparison of checks", "comparison of triggers"]
    assert [firing["id"] for firing in package["firings"]] == ids
    assert {(firing["fired"], firing["n"], firing["again"]) for firing in package["firings"]} == {(0, 1, 0.0)}
    assert (document["gates"]["fired"], document["gates"]["n"]) == (0, 3)
    assert 0.5 < document["gates"]["high"] < 0.6
    assert (document["comparisons"]["fired"], document["comparisons"]["n"]) == (0, 2)


def test_a_gate_at_the_edge_of_its_suite_changes_its_verdict_and_the_comparisons_do_not(tmp_path: Path) -> None:
    """Half of a fickle suite: a rate of about 0.6 against a floor that needs 5 of 5 or 9 of 11."""
    workspace = brewery(
        tmp_path, [coffee(n) for n in range(3)] + [milk(n) for n in range(6)], {"task-pass-rate": {"min": 0.3}}, argv=FICKLE
    )
    document = noise(workspace, "brew", "--samples", "2")[1]
    again = {firing["id"]: firing["again"] for firing in document["packages"][0]["firings"]}
    assert document["packages"][0]["samples"] == 2
    assert again["task-pass-rate"] > 0.05
    assert again["comparison of checks"] <= 0.01
    assert again["lift"] <= 0.05


def test_an_agent_that_answers_the_same_each_time_has_no_noise_and_is_not_asked(tmp_path: Path) -> None:
    workspace = brewery(tmp_path, [coffee(0)], deterministic=True)
    workspace.build("brew")
    status, document = noise(workspace, "brew")
    assert (status, document["agent_calls"], document["packages"][0]["firings"]) == (3, 0, [])
    assert document["packages"][0]["remark"] == "this agent gives the same answer each time: there is no noise"


def test_the_price_is_said_before_and_a_budget_holds(tmp_path: Path) -> None:
    workspace = brewery(tmp_path, [coffee(n) for n in range(4)], argv=FICKLE, free=False)
    workspace.build("brew")
    status, out, err = workspace.selftune("eval", "noise", "brew", "--max-calls", "9", "-C", str(workspace.root))
    assert err.splitlines()[0] == "running 9 samples, 9 of 12 paid calls, about 0.09 USD: then the budget is used up"
    assert status == 0  # two rounds of four cases, and one case has its third sample
    assert "1 case, 3 samples of each against 3 others" in out
    assert "left out, without enough samples" in out
    assert len(workspace.lines()) == 24 + 9


def test_other_stages_are_refused(tmp_path: Path) -> None:
    workspace = brewery(tmp_path, [coffee(0)])
    status, _, err = workspace.selftune("eval", "noise", "brew:baseline", "-C", str(workspace.root))
    assert status == 2
    assert "noise is measured in the stage replay" in err
