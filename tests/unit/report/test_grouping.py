"""Entries of the report that stand for many cases, and what of them is left to the table."""

from __future__ import annotations

import pytest

from selftune_build.model.report import Failure, PackageReport, Problem, Reason, Report, Spend, StageReport, TargetState
from selftune_build.model.verdict import GateResult, Verdict
from selftune_build.report.grouping import common_fix
from selftune_build.report.text import render


def lines(*packages: PackageReport, mode: str = "locked", verbose: bool = False, width: int = 100) -> list[str]:
    report = Report(Verdict.FAIL, 1, Spend(), packages, mode)
    return render(report, width, False, verbose=verbose).splitlines()


def package(name: str = "pdf", **fields: object) -> PackageReport:
    return PackageReport(name, f"skills/{name}", "house", "live", Verdict.FAIL, **fields)  # type: ignore[arg-type]  # by name


def changed(case: str, message: str = "the body of pdf changed", stage: str = "replay", line: int = 3) -> Problem:
    return Problem("key-changed", f"pdf:{stage}[{case}]", message, "pdf/evals/evals.json", line, "selftune build pdf")


def entry(shown: list[str], head: str) -> list[str]:
    """The lines of one entry, its head included."""
    start = shown.index(head)
    rest = shown[start + 1 :]
    return [head, *rest[: next(index for index, line in enumerate(rest) if not line.startswith("  "))]]


def test_problems_that_differ_in_nothing_but_the_case_are_one_entry() -> None:
    shown = lines(package(problems=tuple(changed(f"case {number}", line=number + 1) for number in range(12))))
    assert entry(shown, "key-changed: 12 cases of pdf:replay: case 0, case 1, case 2, case 3, case 4 and 7 more") == [
        "key-changed: 12 cases of pdf:replay: case 0, case 1, case 2, case 3, case 4 and 7 more",
        "  the body of pdf changed",
        "  fix: selftune build pdf",
    ]
    assert sum("key-changed" in line for line in shown) == 1


def test_the_first_to_appear_is_told_first_however_the_groups_are_mixed() -> None:
    mixed = (changed("a", "one"), changed("b", "two"), changed("c", "one"), changed("d", "two", stage="baseline"))
    assert [line for line in lines(package(problems=mixed)) if line.startswith("key-changed")] == [
        "key-changed: 2 cases of pdf:replay: a, c",
        "key-changed: pdf:replay[b]",
        "key-changed: pdf:baseline[d]",
    ]


def test_a_single_problem_keeps_its_place() -> None:
    assert "  at pdf/evals/evals.json:3" in lines(package(problems=(changed("a"),)))


def test_on_request_every_problem_and_every_failed_check_stands_alone_with_its_place() -> None:
    failures = tuple(Failure(f"pdf:replay[{case}]", "checks", "the lock says so", 1, 1) for case in "abc")
    shown = lines(package(problems=tuple(changed(case) for case in "abc"), failures=failures), verbose=True)
    assert [line for line in shown if line.startswith(("key-changed", "failed in"))] == [
        *(f"key-changed: pdf:replay[{case}]" for case in "abc"),
        *(f"failed in 1 of 1: pdf:replay[{case}]" for case in "abc"),
    ]
    assert shown.count("  at pdf/evals/evals.json:3") == 3


def test_problems_of_more_kinds_than_fit_are_counted() -> None:
    many = tuple(changed(str(number), f"reason {number // 2}") for number in range(50))
    assert "  and 10 more problems (-v shows all)" in lines(package(problems=many))


def test_a_problem_of_the_lock_is_told_once_for_all_of_its_agents() -> None:
    problem = Problem("tree-changed", "pdf", "other files", "pdf/selftune.lock", fix="selftune build pdf")
    assert lines(package(problems=(problem,)), package(problems=(problem,))).count("tree-changed: pdf") == 1


def test_checks_that_failed_alike_are_one_entry_with_all_their_samples() -> None:
    failures = tuple(Failure(f"pdf:replay[it's {case}]", "checks", "the lock says so", 2, 3) for case in "abcdefg")
    head = "failed in 14 of 21: 7 cases of pdf:replay: it's a, it's b, it's c, it's d, it's e and 2 more"
    assert entry(lines(package(failures=failures), mode="build"), head)[1:] == [
        "  check: checks",
        "  evidence: the lock says so",
        "  next: selftune show 'pdf:replay[it'\"'\"'s a]'",
    ]


def test_checks_that_saw_the_same_are_one_entry_and_share_the_samples_of_their_case() -> None:
    failures = (
        Failure("pdf:replay[a]", 'contains "x"', "a script failed", 1, 3),
        Failure("pdf:replay[a]", 'contains "y"', "a script failed", 2, 3),
        Failure("pdf:replay[b]", 'contains "z"', "a script failed", 3, 3),
    )
    assert entry(lines(package(failures=failures), mode="build"), "failed in 5 of 6: 2 cases of pdf:replay: a, b")[1:3] == [
        '  check: contains "x" and 2 more',
        "  evidence: a script failed",
    ]


def test_checks_with_other_evidence_stay_apart() -> None:
    failures = tuple(Failure(f"pdf:replay[{case}]", "contains", f"it says {case}", 1, 1) for case in "ab")
    assert sum(line.startswith("failed in 1 of 1") for line in lines(package(failures=failures), mode="build")) == 2


@pytest.mark.parametrize(
    ("fixes", "common"),
    [
        (["selftune build pdf"] * 2, "selftune build pdf"),
        (["selftune build 'pdf:replay[0]'", "selftune build 'pdf:replay[1]'"], "selftune build pdf:replay"),
        (["move it", "rename it"], "move it"),
        ([None, None], None),
    ],
)
def test_the_fix_of_a_group_is_the_one_that_helps_all_of_them(fixes: list[str | None], common: str | None) -> None:
    group = [Problem("no-evidence", f"pdf:replay[{number}]", "it broke", fix=fix) for number, fix in enumerate(fixes)]
    assert common_fix(group) == common


STALE = (StageReport("pdf:spec", TargetState.UP_TO_DATE), StageReport("pdf:replay", TargetState.STALE))
UNDECIDED = tuple(GateResult(gate, Verdict.INCONCLUSIVE, f"{gate} has nothing") for gate in ("trigger-recall", "task-pass-rate"))


def test_gates_without_evidence_take_one_line_below_the_cause() -> None:
    shown = lines(package(stages=STALE, gates=UNDECIDED, problems=(changed("a"),)))
    told = "inconclusive for want of evidence: trigger-recall, task-pass-rate of pdf (-v shows why)"
    assert shown.index("key-changed: pdf:replay[a]") < shown.index(told)
    assert not any("has nothing" in line for line in shown)
    assert "  trigger-recall has nothing" in lines(package(stages=STALE, gates=UNDECIDED), verbose=True)


def test_a_gate_that_has_all_of_its_evidence_says_why_it_cannot_decide() -> None:
    done = (StageReport("pdf:replay", TargetState.BUILT), StageReport("pdf:verify", TargetState.STALE))
    shown = lines(package(stages=done, gates=UNDECIDED), mode="build")
    assert "  trigger-recall has nothing" in shown
    assert not any("want of evidence" in line for line in shown)


def test_a_gate_that_fails_by_a_lock_is_told_as_the_problem_that_it_is() -> None:
    failed = GateResult("lift", Verdict.FAIL, "no lift")
    problem = Problem("gate-failed", "pdf", "lift: no lift", "pdf/selftune.lock")
    locked, build = (lines(package(gates=(failed,), problems=(problem,)), mode=mode) for mode in ("locked", "build"))
    assert "fail: gate lift of pdf" not in locked
    assert "fail: gate lift of pdf" in build


def test_reasons_are_left_out_where_problems_say_them() -> None:
    stages = (StageReport("pdf:replay", TargetState.STALE, reasons=(Reason("x", "x", "the body changed"),)),)
    assert "pdf:replay has to run:" not in lines(package(stages=stages))
    assert "pdf:replay has to run:" in lines(package(stages=stages), mode="dry-run")


def test_names_of_cases_reach_the_terminal_escaped_and_no_line_is_too_long() -> None:
    hostile = tuple(changed(f"\x1b[2J{number} " + "long " * 60) for number in range(9))
    shown = lines(package(problems=hostile), width=72)
    assert not [line for line in shown if not line.isprintable()]
    assert [line for line in shown if len(line) > 72 and not line.startswith("  fix")] == []
