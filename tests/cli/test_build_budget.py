"""What one invocation may spend, and who is asked before it spends much."""

from __future__ import annotations

import json
import os
import pty
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.property.kitchen import kitchen, manifest
from tests.property.workspace import Workspace


def paid(folder: Path, cases: int, **more: Any) -> Workspace:
    """One package whose agent costs half a dollar a call, with so many trigger cases."""
    argv = ["python3", "-I", "-S", "tools/agent.py", "--cost", "0.5"]
    workspace = kitchen(folder / "workspace", folder / "ledger", free=False, argv=argv)
    workspace.evals("bake", [])
    workspace.evals("brew", [{"id": f"c{n}", "prompt": f"Coffee {n}", "should_trigger": True} for n in range(cases)])
    workspace.write("brew/selftune.yaml", json.dumps({"version": 1, **more}))
    return workspace


def test_max_calls_stops_before_the_next_call_and_the_next_run_goes_on(fresh: Workspace) -> None:
    first = fresh.build("--max-calls", "3")
    assert (len(first.calls), first.status, first.report["spend"]["agent_calls"]) == (3, 3, 3)
    assert "budget-used-up" in {problem["code"] for package in first.report["packages"] for problem in package["problems"]}
    assert "skipped" in first.states.values()
    second = fresh.build("--max-calls", "5")
    assert (len(second.calls), second.status) == (5, 0)
    assert fresh.build().calls == []


def test_max_cost_stops_when_that_much_is_spent(tmp_path: Path) -> None:
    workspace = paid(tmp_path, 6)
    first = workspace.build("brew", "--max-cost", "1.5", "-j", "1")
    assert (len(first.calls), first.status, first.report["spend"]["cost_usd"]) == (3, 3, 1.5)


@pytest.mark.parametrize("budget", [{"max_calls": 2}, {"max_cost_usd": "1.00"}])
def test_a_budget_of_the_manifest_holds_as_well(budget: dict[str, Any], tmp_path: Path) -> None:
    workspace = paid(tmp_path, 6, budget=budget)
    assert len(workspace.build("brew", "-j", "1").calls) == 2
    assert len(workspace.build("brew", "-j", "1", "--max-calls", "1").calls) == 1


def test_fifty_paid_calls_are_made_without_asking(tmp_path: Path) -> None:
    assert len(paid(tmp_path, 50).build("brew").calls) == 50


def test_rows_that_share_a_question_are_counted_once_in_what_it_will_cost(tmp_path: Path) -> None:
    workspace = paid(tmp_path, 0)
    cases = [{"id": f"c{n}", "prompt": f"Coffee {n % 30}", "should_trigger": bool(n % 2)} for n in range(60)]
    workspace.evals("brew", cases)
    built = workspace.build("brew")
    assert len(built.calls) == 30
    assert (
        "running 30 samples, 30 paid calls"
        in workspace.selftune("build", "--resample", "1", "brew", "-C", str(workspace.root))[2]
    )


def test_more_than_fifty_paid_calls_need_somebody_who_agrees(tmp_path: Path) -> None:
    workspace = paid(tmp_path, 51)
    status, stdout, _ = workspace.selftune("build", "brew", "--json", "-C", str(workspace.root))
    assert status == 3
    assert "51 paid calls" in stdout
    assert "--yes" in stdout
    assert workspace.lines() == []
    assert len(workspace.build("brew", "--yes", "--max-calls", "4").calls) == 4
    assert len(workspace.build("brew").calls) == 47  # so few need nobody


def test_yes_agrees_to_all_of_them(tmp_path: Path) -> None:
    assert len(paid(tmp_path, 51).build("brew", "--yes").calls) == 51


@pytest.mark.parametrize("limit", [["--max-calls", "2"], ["--max-cost", "1.00"]])
def test_a_limit_agrees_to_what_it_allows(limit: list[str], tmp_path: Path) -> None:
    assert len(paid(tmp_path, 51).build("brew", "-j", "1", *limit).calls) == 2


def test_a_budget_in_the_manifest_agrees_to_what_it_allows(tmp_path: Path) -> None:
    assert len(paid(tmp_path, 51, budget={"max_calls": 2}).build("brew").calls) == 2


def test_more_than_fifty_free_calls_ask_nobody(tmp_path: Path) -> None:
    workspace = paid(tmp_path, 51)
    workspace.write("selftune.yaml", json.dumps(manifest()))
    assert len(workspace.build("brew").calls) == 51


def on_a_terminal(workspace: Workspace, typed: bytes) -> tuple[int, str]:
    """Run `selftune build brew` on a terminal where somebody types; exit status and everything shown."""
    environment = {**workspace.environment, "TEST_LEDGER": str(workspace.ledger), "TERM": "dumb"}
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover - another process
        os.chdir(workspace.root)
        os.execve(sys.executable, [sys.executable, "-m", "selftune_build", "build", "brew"], environment)
    shown = b""
    answered = False
    try:
        while chunk := os.read(terminal, 4096):
            shown += chunk
            if b"Go on?" in shown and not answered:
                answered = True
                os.write(terminal, typed)
    except OSError:
        pass  # Linux answers EIO where the other side of a terminal is closed
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode()


def test_on_a_terminal_a_no_spends_nothing(tmp_path: Path) -> None:
    workspace = paid(tmp_path, 51)
    status, shown = on_a_terminal(workspace, b"n\n")
    assert status == 3
    assert "51 paid calls" in shown
    assert workspace.lines() == []


def test_on_a_terminal_the_price_is_named_where_it_is_known_and_a_yes_goes_ahead(tmp_path: Path) -> None:
    workspace = paid(tmp_path, 52)
    workspace.build("brew", "--max-calls", "1")
    workspace.lock_path("brew").unlink()
    _, shown = on_a_terminal(workspace, b"y\n")
    assert "51 paid calls, about 25.50 USD" in shown
    assert len(workspace.lines()) == 52


def test_a_limit_announces_what_it_allows_and_in_the_end_what_is_left_with_the_command_that_goes_on(tmp_path: Path) -> None:
    workspace = paid(tmp_path, 8)
    place = ("-C", str(workspace.root))
    status, shown, said = workspace.selftune("build", "brew", "--max-calls", "3", "-j", "1", *place)
    assert (status, len(workspace.lines())) == (3, 3)
    assert "running 3 samples, 3 of 8 paid calls, price not known yet: then the budget is used up\n" in said
    left = "the budget is used up, 5 calls of the plan left, about 2.50 USD; what was answered is kept"
    assert f"{left}\nnext: selftune build brew -C {workspace.root}\n" in shown
    _, shown, said = workspace.selftune("build", "brew", "--max-cost", "1.00", "-j", "1", *place)
    assert "running 2 samples, 2 of 5 paid calls, about 1.00 USD: then the budget is used up\n" in said
    assert "3 calls of the plan left, about 1.50 USD" in shown
    _, shown, said = workspace.selftune("build", "brew", *place)
    assert "running 3 samples, 3 paid calls, about 1.50 USD\n" in said
    assert "left" not in shown
    assert len(workspace.lines()) == 8


def test_what_the_budget_left_is_in_the_report_for_programs_and_nothing_where_it_sufficed(tmp_path: Path) -> None:
    workspace = paid(tmp_path, 4)
    spend = workspace.build("brew", "--max-calls", "1").report["spend"]
    assert (spend["left_calls"], spend["left_usd"]) == (3, 1.5)
    assert "left_calls" not in workspace.build("brew").report["spend"]


def test_what_free_calls_the_limit_left_has_no_price(fresh: Workspace) -> None:
    spend = fresh.build("--max-calls", "3").report["spend"]
    assert (spend["left_calls"], spend["left_usd"]) == (5, 0)


def test_several_jobs_together_do_not_spend_more_than_is_left_where_the_price_is_known(tmp_path: Path) -> None:
    workspace = paid(tmp_path, 12)
    workspace.build("brew", "--max-calls", "1")
    built = workspace.build("brew", "--max-cost", "1.25", "-j", "8")
    assert (len(built.calls), built.report["spend"]["cost_usd"]) == (2, 1.0)
