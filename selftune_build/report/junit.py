"""The report as JUnit XML, in the dialect that Jenkins' xUnit plugin, GitLab and pytest agree on (`junit-10.xsd`).

It says no exactly where the build does: a case that does not hold fails its test only where the gate that counts it does not
pass either, and otherwise tells what was seen in `system-out`. What could not be decided is an error, never a pass. What a human
accepted is skipped, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING

from selftune_build.engine.report import REFUSING
from selftune_build.graph.targets import stage_of
from selftune_build.model.report import Failure, PackageReport, Report, RowReport, RowState
from selftune_build.model.verdict import GateResult, Verdict
from selftune_build.report.by_hand import accepted_line
from selftune_build.report.cells import name, sentence

if TYPE_CHECKING:
    from junitparser import TestCase, TestSuite

_GATES = {
    "unit-tests": ("unit-tests",),
    "replay": ("trigger-recall", "trigger-specificity", "task-pass-rate"),
    "baseline": ("lift",),
}
"""Which gates count the rows of a stage."""


def render(report: Report) -> str:
    """One suite for each package and agent; a test for each row, gate and problem."""
    from junitparser import JUnitXml

    document = JUnitXml("selftune")
    for package in report.packages:
        document.add_testsuite(_suite(package))
    written = BytesIO()
    document.write(written, pretty=True)
    return written.getvalue().decode("utf-8")


def _suite(package: PackageReport) -> TestSuite:
    from junitparser import TestSuite

    suite = TestSuite(f"{name(package.name)} ({name(package.agent)})" if package.agent else name(package.name))
    failures: dict[str, list[Failure]] = {}
    for failure in package.failures:
        failures.setdefault(failure.target, []).append(failure)
    for row in package.rows:
        suite.add_testcase(_row(package, row, failures.get(row.target, [])))
    for gate in package.gates:
        suite.add_testcase(_gate(package, gate))
    for case in (*_problems(package), *_accepted(package)):
        suite.add_testcase(case)
    return suite


def _case(package: PackageReport, group: str, title: str) -> TestCase:
    from junitparser import TestCase

    return TestCase(title, f"{name(package.name)}.{group}", 0.0)


def _row(package: PackageReport, row: RowReport, failures: Iterable[Failure]) -> TestCase:
    from junitparser import Skipped

    stage = stage_of(row.target)
    case = _case(package, stage, name(row.case))
    seen = "; ".join(f"{sentence(each.check)}: {sentence(each.evidence)} ({each.failed} of {each.n})" for each in failures)
    if row.accepted and row.state is not RowState.HELD:
        case.result = [Skipped(f"accepted as it is: {sentence(row.accepted)}; {_counts_of(row) or 'no evidence'}", "accepted")]
    elif row.state is RowState.MISSING:
        case.result = [Skipped("no evidence of today", "missing")]
    elif row.state is RowState.UNDECIDED:
        case.result = [Skipped(f"not measured. {seen}".strip(), "undecided")]
    elif row.state is RowState.FAILED:
        _tell_failed(case, _worst(package, stage), seen or _counts_of(row))
    return case


def _tell_failed(case: TestCase, verdict: Verdict, seen: str) -> None:
    from junitparser import Error, Failure

    if verdict is Verdict.PASS:
        case.system_out = f"did not hold, and its gates pass: {seen}"
    else:
        case.result = [Failure(seen, "check") if verdict is Verdict.FAIL else Error(seen, "inconclusive")]


def _worst(package: PackageReport, stage: str) -> Verdict:
    """The worst verdict of the required gates that count the rows of a stage."""
    verdicts = {gate.verdict for gate in package.gates if gate.required and gate.id in _GATES.get(stage, ())}
    return next((each for each in (Verdict.FAIL, Verdict.INCONCLUSIVE) if each in verdicts), Verdict.PASS)


def _counts_of(row: RowReport) -> str:
    triggered = "" if row.triggered is None else f"activated in {row.triggered} of {row.n}"
    passed = "" if row.passed is None else f"checks held in {row.passed} of {row.n}"
    return ", ".join(filter(None, (triggered, passed)))


def _gate(package: PackageReport, gate: GateResult) -> TestCase:
    from junitparser import Error, Failure, Skipped

    case = _case(package, "gates", name(gate.id))
    message = sentence(gate.message)
    if gate.verdict is Verdict.PASS:
        case.system_out = message
    elif not gate.required:
        case.result = [Skipped(f"{gate.verdict.value}, not required: {message}", gate.verdict.value)]
    else:
        kind = Failure if gate.verdict is Verdict.FAIL else Error
        case.result = [kind(message, gate.verdict.value)]
    return case


def _accepted(package: PackageReport) -> Iterator[TestCase]:
    """The findings that are accepted; a row says it itself."""
    from junitparser import Skipped

    for one in package.accepted:
        if one.finding is not None:
            case = _case(package, "accepted", name(one.target))
            case.result = [Skipped(f"accepted: {accepted_line(one)}", "accepted")]
            yield case


def _problems(package: PackageReport) -> Iterator[TestCase]:
    from junitparser import Error, Failure

    for problem in package.problems:
        case = _case(package, "problems", f"{name(problem.code)} {name(problem.target)}")
        fix = f"\nfix: {sentence(problem.fix)}" if problem.fix else ""
        kind = Failure if problem.code in REFUSING else Error
        case.result = [kind(sentence(problem.message) + fix, name(problem.code))]
        yield case
