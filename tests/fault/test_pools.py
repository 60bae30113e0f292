"""Real commands that ask one service: what one of them learns holds for all, and nobody asks more than it puts up with."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from selftune_build.store.survey import Kind, survey
from tests.fault.workspace import ROWS, Workspace, ended, until


def two(folder: Path, pool: str = "{}", samples: int = 1) -> tuple[Workspace, Workspace]:
    """Two workspaces whose agents ask one service, with one store and not one question in common."""
    first, second = (Workspace(folder / name, samples=samples) for name in ("one", "two"))
    second.store = first.store
    cases = second.root / "evals/cases.yaml"
    cases.write_text(cases.read_text().replace("?", ", please?"))
    for each in (first, second):
        manifest = each.root / "selftune.yaml"
        manifest.write_text(manifest.read_text().replace("env: [FAULT_DIR]", f"env: [FAULT_DIR], pool: {pool}"))
    return first, second


def messages(report: dict[str, Any]) -> set[str]:
    return {problem["message"] for package in report["packages"] for problem in package["problems"]}


def test_a_pause_of_hours_keeps_every_command_from_asking(tmp_path: Path) -> None:
    first, second = two(tmp_path)
    first.behave({"mode": "refuse", "seconds": 36_000})
    told = "house: the service asked everybody to come back in 10 h"
    report = first.report("-j", "1")
    assert (report["exit_code"], messages(report)) == (3, {told})
    assert len(first.ledger()) == 1
    report = second.report("-j", "4")
    assert (report["exit_code"], report["spend"]["agent_calls"], messages(report)) == (3, 0, {told})
    assert second.ledger() == []


def test_commands_that_wait_say_so_once_and_end_at_ctrl_c(tmp_path: Path) -> None:
    first, second = two(tmp_path)
    first.behave({"mode": "refuse", "seconds": 600})
    commands = []
    for each in (first, second):
        command = each.start("-j", "4")
        commands.append(command)
        assert command.stderr is not None
        while "house asked for a pause: waiting " not in (line := command.stderr.readline()):
            assert line
    for command in commands:
        command.send_signal(signal.SIGINT)
        rest = ended(command)
        assert rest.status == 130
        assert "asked for a pause" not in rest.stderr
    assert second.ledger() == []
    assert len(first.ledger()) <= 4
    assert second.in_flight() == []


def test_a_short_pause_is_waited_out_and_everything_is_answered(tmp_path: Path) -> None:
    first, _ = two(tmp_path)
    first.behave({"mode": "refuse", "seconds": 1, "prompt": "sow", "attempt": 0})
    ended(first.start("-j", "1"))
    refused, *rest = first.ledger()
    assert len(rest) == first.needed + 1  # with the skill and without it
    assert min(each["at"] for each in rest) >= refused["at"] + 1
    assert {arm["n"] for arms in first.rows().values() for arm in arms.values()} == {1}


def test_two_commands_together_keep_to_the_calls_at_once(tmp_path: Path) -> None:
    first, second = two(tmp_path, "{concurrent: 2}", samples=2)
    for each in (first, second):
        each.behave({"mode": "slow", "seconds": 0.2})
    commands = [each.start("-j", "4") for each in (first, second)]
    for command in commands:
        ended(command)
    calls = sorted([each for workspace in (first, second) for each in workspace.ledger()], key=lambda each: each["at"])
    assert len(calls) == 2 * ROWS * 2
    # Each call takes 0.2 s at least, so of three in a row the third begins later than the first ends.
    assert all(third["at"] - call["at"] >= 0.2 for call, third in zip(calls, calls[2:], strict=False))


@pytest.mark.parametrize("point", ["begun", "whole"])
def test_a_command_that_is_killed_leaves_no_slot_taken(tmp_path: Path, point: str) -> None:
    first, second = two(tmp_path, "{concurrent: 1}")
    first.behave({"mode": "pausing", "point": point})
    killed = first.start("-j", "4")
    until(lambda: first.waiting_agents() == 1)
    waiting = second.start("-j", "4")
    assert waiting.stderr is not None
    while f"all calls to house that may run at once (1) are in use, one by process {killed.pid}" not in (
        line := waiting.stderr.readline()
    ):
        assert line
    os.kill(killed.pid, signal.SIGKILL)
    ended(killed)
    ended(waiting)
    assert len(second.ledger()) == second.needed
    first.go()


def test_what_pools_leave_in_a_store_is_sound(tmp_path: Path) -> None:
    first, _ = two(tmp_path, "{concurrent: 1, per_minute: 6000}")
    first.behave({"mode": "refuse", "seconds": 0, "attempt": 0})
    ended(first.start("-j", "2"))
    assert sorted(path.name for path in first.store.glob("pools/*/*")) == ["1.slot", "guard", "state.json"]
    assert [each.kind for each in survey(first.store) if each.path.startswith("pools/")] == [Kind.POOL] * 3
