"""The cases of packages as `selftune eval list` shows them, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from selftune_build.checks.registry import check_id
from selftune_build.engine.load import Broken
from selftune_build.escape import one_line
from selftune_build.limits import MESSAGE_CHARACTERS, SHOWN_PROBLEMS
from selftune_build.model.case import Case
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.package import MANIFEST_FILE, SKILL_FILE, Package
from selftune_build.report.document import envelope
from selftune_build.wording import counted

_PROMPT = 100
_TRIGGERS = {True: "should trigger", False: "should not trigger", None: ""}
_EVALS = ("eval-", "case-", "check-", "json-", "yaml-")
"""How the codes of findings about eval files start; the last two also those about other files."""


def document(packages: Sequence[Package], broken: Sequence[Broken], status: int) -> str:
    """Schema `selftune.eval-list/1`."""
    return envelope(
        "selftune.eval-list/1",
        status,
        packages=[_package(package) for package in packages],
        unreadable=[{"path": each.path, "message": each.error.message} for each in broken],
    )


def lines(packages: Sequence[Package], broken: Sequence[Broken]) -> Iterator[str]:
    """For people: a line for each case with its checks below, then what was noticed."""
    for package in packages:
        yield _line(f"{package.handle}: {_counted(package.evals)}, {counted(len(package.unit_tests), 'unit test')}")
        for case in (*package.evals, *package.unit_tests):
            yield from _case_lines(case)
        yield from finding_lines(eval_findings(package))
    for each in broken:
        yield _line(f"{each.path}: cannot be read: {each.error.message}" + (f" (at {each.error.at})" if each.error.at else ""))


def eval_findings(package: Package) -> list[Finding]:
    """What was noticed about its eval files."""
    others = {(PurePosixPath(package.path) / file).as_posix() for file in (SKILL_FILE, MANIFEST_FILE)}
    told = [finding for finding in package.findings if finding.code.startswith(_EVALS)]
    return [finding for finding in told if finding.at is None or finding.at.path not in others]


def finding_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """The errors and warnings first, the remarks after them, so many and no more; equal words are said once and counted."""
    order = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}
    same: dict[tuple[Severity, str], list[Finding]] = {}
    for finding in findings:
        same.setdefault((finding.severity, finding.message), []).append(finding)
    groups = sorted(same.values(), key=lambda group: order[group[0].severity])
    for group in groups[:SHOWN_PROBLEMS]:
        place = f" (at {group[0].at})" if group[0].at else ""
        times = f" ({len(group)} times)" if len(group) > 1 else ""
        yield _line(f"  {group[0].severity.value}: {group[0].message}{times}{place}")
    if len(groups) > SHOWN_PROBLEMS:
        yield f"  and {len(groups) - SHOWN_PROBLEMS} more (--json has them all)"


def case_document(case: Case) -> dict[str, Any]:
    """One case as JSON: what was understood, and where it stands."""
    origin = case.origin
    return {
        "id": case.id,
        "format": origin.format if origin else None,
        "path": origin.at.path if origin else None,
        "pointer": origin.at.pointer if origin else None,
        "line": origin.at.line if origin else None,
        "prompt": case.prompt,
        "run": list(case.run),
        "should_trigger": case.should_trigger,
        "checks": [{"kind": check.kind, "params": check.params} for check in case.checks],
        "files": [file.dest for file in case.files],
        "setup": [list(argv) for argv in case.setup],
        "tags": list(case.tags),
    }


def finding_document(finding: Finding) -> dict[str, Any]:
    """One finding as JSON."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "path": finding.at.path if finding.at else None,
        "line": finding.at.line if finding.at else None,
        "pointer": finding.at.pointer if finding.at else None,
        "hint": finding.hint,
    }


def _package(package: Package) -> dict[str, Any]:
    return {
        "name": package.name,
        "path": package.path,
        "cases": [case_document(case) for case in package.evals],
        "unit_tests": [case_document(case) for case in package.unit_tests],
        "findings": [finding_document(finding) for finding in eval_findings(package)],
    }


def _counted(cases: Iterable[Case]) -> str:
    cases = list(cases)
    formats = sorted({case.origin.format for case in cases if case.origin})
    yes, no = (sum(case.should_trigger is wanted for case in cases) for wanted in (True, False))
    checked = sum(bool(case.checks) for case in cases)
    inside = f" in {', '.join(formats)}" if formats else ""
    return f"{counted(len(cases), 'case')}{inside}: {yes} should trigger, {no} should not, {checked} have checks"


def _case_lines(case: Case) -> Iterator[str]:
    asked = case.prompt or " ".join(case.run)
    shown = one_line(asked, _PROMPT)
    words = [case.id, *([case.origin.format] if case.origin else []), _TRIGGERS[case.should_trigger]]
    yield _line(f"  {' | '.join(word for word in words if word)}")
    yield _line(f"    {shown}")
    for check in case.checks:
        said = f"not measured: {check.params['reason']}" if check.kind == "unsupported" else check_id(check)
        yield _line(f"    - {said}")


def _line(text: str) -> str:
    return one_line(text, MESSAGE_CHARACTERS)
