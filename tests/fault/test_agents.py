"""Agents that misbehave: an error of the infrastructure, never evidence; whatever else was answered stays paid for."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from selftune_build.limits import SAMPLE_ATTEMPTS, STORE_ATTEMPT_RAW_BYTES
from selftune_build.store.archive import Attempt, decode
from tests.fault.workspace import Workspace, all_gone

MESSAGES = {
    "not-json": "the response is not valid: Expecting value, line 1 column 1",
    "empty": "the response is not valid: it is empty",
    "array": "the response is not valid: it is not a JSON object",
    "nested": "the response is not valid: it is nested deeper than 64",
    "nan": "the response is not valid: NaN is not JSON",
    "twice": "the response is not valid: the key 'output' is there twice",
    "half-surrogate": "the response is not valid: /output holds half of a surrogate pair",
    "not-utf8": "the response is not valid: it is not UTF-8 at byte 12",
    "two-documents": "the response is not valid: Extra data, line 2 column 1",
    "no-output": "the response is not valid: /output is missing",
    "crash": "ended by signal 11: boom ?[31mred",
    "fail-with-answer": "exit status 1: out of credit",
    "report-error": "the service is down",
    "litter": "the run left more than 10000 files and folders in its workspace",
    "litter-bytes": "bytes in its workspace",
}
BILLED = {"fail-with-answer", "report-error", "litter", "litter-bytes"}
"""Modes whose answer says what it cost."""


def attempts(workspace: Workspace) -> list[Attempt]:
    return [decode(path.read_bytes(), Attempt) for path in sorted(workspace.store.glob("samples/*/*/*.err.zst"))]


def no_evidence(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [problem for problem in report["packages"][0]["problems"] if problem["code"] == "no-evidence"]


def assert_only_the_rest_is_paid(workspace: Workspace, rest: int) -> None:
    """A healthy agent completes what is there, and nothing of what was answered is asked again."""
    workspace.behave()
    before = len(workspace.ledger())
    spend = workspace.report()["spend"]
    assert (len(workspace.ledger()) - before, spend["agent_calls"]) == (rest, rest)
    assert {row["n"] for arms in workspace.rows().values() for row in arms.values()} == {workspace.samples}


@pytest.fixture
def ward(make: Callable[..., Workspace]) -> Callable[..., Workspace]:
    """A workspace with one case for each mode, in which the agent behaves so, and before them one in which it is well: who
    never answers is not asked on."""

    def ward(modes: Iterable[str], **options: Any) -> Workspace:
        workspace = make(samples=1, **options)
        cases = "".join(f"  - {{id: {mode}, prompt: do {mode}., should_trigger: false}}\n" for mode in ["well", *modes])
        (workspace.root / "evals/cases.yaml").write_text(f"format: selftune.evals/1\ncases:\n{cases}")
        workspace.behave(*({"prompt": f"do {mode}.", "mode": mode} for mode in modes))
        return workspace

    return ward


def messages(report: dict[str, Any]) -> dict[str, str]:
    return {problem["target"].split("[")[1].rstrip("]"): problem["message"] for problem in no_evidence(report)}


def test_broken_answers_are_retried_told_and_paid_for_once_the_agent_is_mended(ward: Callable[..., Workspace]) -> None:
    workspace = ward(MESSAGES)
    report = workspace.report("-j", "8")
    assert report["exit_code"] == 3
    assert {mode: part in messages(report).get(mode, "") for mode, part in MESSAGES.items()} == dict.fromkeys(MESSAGES, True)
    assert report["packages"][0]["next_command"] == f"selftune build gardening -C {workspace.root}"
    assert report["spend"]["agent_calls"] == len(workspace.ledger()) == SAMPLE_ATTEMPTS * len(MESSAGES) + 1
    assert report["spend"]["cost_usd"] == pytest.approx(0.01 * (SAMPLE_ATTEMPTS * len(BILLED) + 1))
    tried = Counter(attempt.call_id for attempt in attempts(workspace))
    assert sorted(tried.values()) == [SAMPLE_ATTEMPTS] * len(MESSAGES)
    assert set(workspace.rows()) == {"well"}
    assert (workspace.left_over(), workspace.in_flight()) == ([], [])
    assert all_gone(workspace.children())
    assert_only_the_rest_is_paid(workspace, len(MESSAGES))


def test_agents_that_hang_are_ended_and_tried_twice(ward: Callable[..., Workspace]) -> None:
    modes = ("sleep", "ignore-sigterm", "sleep-after-answer")
    workspace = ward(modes, timeout_s=2)
    report = workspace.report("-j", "4")
    assert report["exit_code"] == 3
    assert messages(report) == dict.fromkeys(modes, "house: it never answered within its time limit")
    assert [attempt.kind for attempt in attempts(workspace)] == ["timeout"] * 2 * len(modes)
    assert all_gone(workspace.children())
    assert (workspace.left_over(), workspace.in_flight()) == ([], [])
    assert_only_the_rest_is_paid(workspace, len(modes))


def test_odd_agents_with_a_whole_answer_have_answered(ward: Callable[..., Workspace]) -> None:
    modes = ("close-stdin", "daemon-in-group", "daemon-of-its-own", "lock-up-workspace", "remove-workspace")
    workspace = ward(modes)
    report = workspace.report("-j", "4")
    assert (report["spend"]["agent_calls"], messages(report)) == (len(modes) + 1, {})
    assert set(workspace.rows()) == {*modes, "well"}
    assert (workspace.left_over(), workspace.in_flight()) == ([], [])
    assert all_gone(pids(workspace, "in-group"))
    # One that founds a session of its own is beyond the reach of a process group; it must not hold anybody up.
    (own,) = pids(workspace, "of-its-own")
    os.kill(own, signal.SIGKILL)


def pids(workspace: Workspace, kind: str) -> list[int]:
    return [int(line) for line in (workspace.faults / f"pids-{kind}").read_text().splitlines()]


def test_a_second_timeout_of_one_sample_is_a_failed_sample_where_the_case_was_answered_otherwise(
    make: Callable[..., Workspace],
) -> None:
    workspace = make(timeout_s=1)
    workspace.behave({"prompt": "sow", "sample": 1, "mode": "sleep"})
    report = workspace.report("replay")
    row = workspace.rows()["cabbage"]["with_skill"]
    assert (row["n"], row["passed"], row["triggered"]) == (2, 1, 1)
    assert row["observed"] == ["gardening:*", "gardening:body", "gardening:file:references/soil.md"]
    assert no_evidence(report) == []
    shown = workspace.build("replay").stdout
    assert "failed in 1 of 2: gardening:replay[cabbage]\n  check: limit\n  evidence: the time limit was reached twice" in shown
    assert len(workspace.ledger()) == 3 * workspace.samples + 1
    assert workspace.report("replay")["spend"]["agent_calls"] == 0


def test_one_timeout_is_no_evidence(make: Callable[..., Workspace]) -> None:
    workspace = make(timeout_s=1)
    workspace.behave({"prompt": "sow", "sample": 1, "attempt": 0, "mode": "sleep"})
    assert workspace.report("replay")["spend"]["agent_calls"] == 3 * workspace.samples + 1
    row = workspace.rows()["cabbage"]["with_skill"]
    assert (row["n"], row["passed"]) == (2, 2)


def test_a_first_attempt_that_fails_is_made_good_by_the_next_with_the_same_call_id(workspace: Workspace) -> None:
    workspace.behave({"attempt": 0, "mode": "crash"})
    report = workspace.report("-j", "4")
    assert report["spend"]["agent_calls"] == 2 * workspace.needed
    assert set(workspace.calls().values()) == {2}
    assert len(workspace.calls()) == workspace.needed
    assert no_evidence(report) == []
    assert {row["n"] for arms in workspace.rows().values() for row in arms.values()} == {workspace.samples}


def test_a_flood_is_cut_and_little_of_it_is_kept(ward: Callable[..., Workspace]) -> None:
    modes = ("flood", "hundred-megabytes")
    workspace = ward(modes)
    report = workspace.report("-j", "1")
    assert messages(report) == dict.fromkeys(modes, "house: more than 67108864 bytes of output")
    assert [(attempt.kind, len(attempt.raw)) for attempt in attempts(workspace)] == [("flood", STORE_ATTEMPT_RAW_BYTES)] * 6
    assert all_gone(workspace.children())
    assert (workspace.left_over(), workspace.in_flight()) == ([], [])


def test_folders_deeper_than_the_system_can_name_are_an_attempt_that_failed(workspace: Workspace) -> None:
    workspace.behave({"prompt": "red", "mode": "litter-deep"})
    report = workspace.report("gardening:replay[red-cabbage]")
    (problem,) = no_evidence(report)
    assert "the run left a folder that cannot be read" in problem["message"]
    assert (workspace.left_over(), workspace.in_flight()) == ([], [])


def test_a_program_that_is_not_there_costs_nothing_and_is_named(workspace: Workspace) -> None:
    manifest = workspace.root / "selftune.yaml"
    manifest.write_text(manifest.read_text().replace('argv: ["', 'argv: ["/no/such/program", "'))
    report = workspace.report()
    assert (report["exit_code"], report["spend"]["agent_calls"]) == (3, 0)
    assert "the program `/no/such/program` of the agent `house` is not in the workspace" in no_evidence(report)[0]["message"]


def test_a_budget_counts_attempts_that_failed(workspace: Workspace) -> None:
    workspace.behave({"mode": "report-error"})
    report = workspace.report("--max-calls", "4", "-j", "1")
    assert (report["exit_code"], report["spend"]["agent_calls"], len(workspace.ledger())) == (3, 4, 4)
    codes = {problem["code"] for problem in report["packages"][0]["problems"]}
    assert codes == {"no-evidence", "budget-used-up"}


def test_money_that_failed_attempts_cost_counts_against_the_budget(workspace: Workspace) -> None:
    workspace.behave({"mode": "report-error"})
    report = workspace.report("--max-cost", "0.02", "-j", "1")
    assert (report["spend"]["cost_usd"], len(workspace.ledger())) == (0.02, 2)


def test_the_report_for_people_names_case_reason_and_command(workspace: Workspace) -> None:
    workspace.behave({"prompt": "red", "mode": "crash"})
    ended = workspace.build()
    assert ended.status == 3
    assert "no-evidence: gardening:replay[red-cabbage]\n  house: ended by signal 11: boom ?[31mred" in ended.stdout
    assert "  fix: selftune build 'gardening:replay[red-cabbage]'" in ended.stdout
    assert "\x1b" not in ended.stdout + ended.stderr


def test_scripts_are_no_calls_to_an_agent(workspace: Workspace) -> None:
    (workspace.root / "tests").mkdir()
    (workspace.root / "tests/scripts.yaml").write_text(
        "format: selftune.unit-tests/1\ncases:\n  - {id: one, run: [python3, -c, 'print(1)'], checks: [{contains: '1'}]}\n"
    )
    report = workspace.report("unit-tests", "--max-calls", "0")
    assert (report["exit_code"], report["spend"]["agent_calls"]) == (0, 0)
