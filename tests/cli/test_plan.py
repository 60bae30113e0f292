"""`selftune plan`: what a build would do, by the code that does it, and what that may cost."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema

from selftune_build.engine.planning.forecast import sum_of_costs
from tests.property.kitchen import kitchen
from tests.property.workspace import CHECKOUT, Workspace

SCHEMA: dict[str, Any] = json.loads((CHECKOUT / "schemas/selftune-plan-1.json").read_text())


def planned(workspace: Workspace, *arguments: str) -> dict[str, Any]:
    """The plan as JSON, which satisfies its schema; nothing was asked for it."""
    before = workspace.lines()
    status, stdout, stderr = workspace.selftune("plan", *arguments, "--json", "-C", str(workspace.root))
    assert (status, stderr) == (0, "")
    document: dict[str, Any] = json.loads(stdout)
    jsonschema.validate(document, SCHEMA)
    assert workspace.lines() == before
    return document


def test_the_plan_counts_the_calls_that_the_build_then_makes(noted: Workspace) -> None:
    noted.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans slowly.")
    plan = planned(noted)
    (expense,) = plan["expenses"]
    built = noted.build()
    assert expense["calls"] == len(built.calls) > 0
    assert plan["by_lock"] == built.report["spend"]["reused"]


def test_a_sample_that_two_packages_share_is_counted_once_in_the_totals(fresh: Workspace) -> None:
    for name in ("brew", "bake"):
        fresh.evals(name, [{"id": "both", "prompt": "Make coffee and bread", "should_trigger": name == "brew"}])
    plan = planned(fresh)
    assert [stage["calls"] for package in plan["packages"] for stage in package["stages"]] == [1, 1]
    _, text, _ = fresh.selftune("plan", "-C", str(fresh.root))
    assert "plan: 1 sample to take;" in text
    assert plan["expenses"][0]["calls"] == len(fresh.build().calls) == 1


def test_every_reason_names_the_cases_that_it_made_stale(noted: Workspace) -> None:
    noted.edit("brew/references/milk.md", "Steam", "Froth")
    (stage,) = (stage for package in planned(noted)["packages"] for stage in package["stages"] if stage["missing"])
    (cause,) = stage["causes"]
    assert stage["target"] == "brew:replay"
    assert (cause["reason"]["code"], cause["reason"]["name"]) == ("observed-changed", "brew:file:references/milk.md")
    assert cause["cases"] == ["latte"]


def test_where_nothing_is_stale_every_row_is_reused_and_there_is_no_next_command(built: Workspace) -> None:
    plan = planned(built)
    assert plan["expenses"] == []
    assert [package["command"] for package in plan["packages"]] == [None, None]


def test_rows_that_only_the_store_knows_are_hits_by_the_store(built: Workspace) -> None:
    for lock in built.root.glob("*/selftune.lock"):
        lock.unlink()
    plan = planned(built)
    assert (plan["by_lock"], plan["expenses"]) == (0, [])
    assert plan["by_store"] == built.build().report["spend"]["reused"] > 0


def test_the_price_is_an_interval_from_what_earlier_answers_cost(tmp_path: Path) -> None:
    workspace = kitchen(
        tmp_path / "workspace", tmp_path / "ledger", free=False, argv=["python3", "-I", "tools/agent.py", "--cost", "0.25"]
    )
    workspace.build("--yes")
    workspace.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans slowly.")
    (expense,) = planned(workspace)["expenses"]
    assert Decimal(expense["expected"]) == expense["calls"] * Decimal("0.25")
    assert expense["low"] == expense["expected"] == expense["high"]  # every answer has cost the same
    assert expense["seen"] >= 2


def test_a_price_that_nobody_knows_is_not_made_up(tmp_path: Path) -> None:
    (expense,) = planned(kitchen(tmp_path / "workspace", tmp_path / "ledger", free=False))["expenses"]
    assert (expense["expected"], expense["low"], expense["high"], expense["seen"]) == (None, None, None, 0)


def test_the_interval_of_a_sum_grows_with_the_spread_and_never_goes_below_nothing() -> None:
    expected, low, high = sum_of_costs(4, [Decimal(1), Decimal(3)]) or (0, 0, 0)
    assert (expected, low) == (8, 0)
    assert abs(float(high) - (8 + 1.96 * (2 * 4 * 3) ** 0.5)) < 1e-9
    assert sum_of_costs(4, [Decimal(1)]) is None


def test_a_person_reads_what_runs_why_and_what_it_costs(noted: Workspace) -> None:
    noted.edit("brew/references/milk.md", "Steam", "Froth")
    _, stdout, _ = noted.selftune("plan", "-C", str(noted.root))
    lines = stdout.splitlines()
    assert "  brew:replay: 1 of 3 rows stale, 1 call; 2 rows reused (2 by the lock)" in lines
    assert any(line.startswith("    observed-changed: brew:file:references/milk.md changed") for line in lines)
    assert "1 call to house: free" in lines
    assert "1 package up to date" in lines
    assert all(len(line) <= 100 or line.startswith("  next: ") for line in lines)


def test_planning_makes_no_store_and_no_lock(fresh: Workspace) -> None:
    before = sorted(path for path in fresh.root.rglob("*"))
    planned(fresh)
    assert sorted(path for path in fresh.root.rglob("*")) == before
