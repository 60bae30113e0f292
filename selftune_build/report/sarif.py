"""The report as SARIF 2.1.0 (OASIS), within the limits of GitHub code scanning.

Plain text of a message follows section 3.11 of the standard: brackets are escaped, braces are doubled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from selftune_build import __version__
from selftune_build.limits import SARIF_RESULTS
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.report import PackageReport, Report, RowReport
from selftune_build.model.verdict import Verdict
from selftune_build.report.by_hand import accepted_line
from selftune_build.report.cells import name, sentence

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_ORDER = ("error", "warning", "note")
_TEXT = str.maketrans({"\\": "\\\\", "[": "\\[", "]": "\\]", "{": "{{", "}": "}}"})
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
HOME = "https://agentskills.io"


class Result(Struct, frozen=True):
    """One thing to show at a line of a file; `subject` tells it from others of the same code, whatever the line."""

    code: str
    level: str
    message: str
    path: str
    line: int
    subject: str


def render(report: Report) -> str:
    """One run; problems, gates that say no, failed checks, what is accepted, findings; grave ones first. Newline at the end."""
    found = list(dict.fromkeys(each for package in report.packages for each in results(package)))
    kept = sorted(found, key=lambda each: _ORDER.index(each.level))[:SARIF_RESULTS]
    run = {
        "tool": {"driver": _driver(kept)},
        "automationDetails": {"id": "selftune/"},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, report.prefix) for each in kept],
        "properties": {"verdict": report.verdict.value, "results": len(found), "kept": len(kept)},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, allow_nan=False) + "\n"


def results(package: PackageReport) -> Iterator[Result]:
    """Everything about a package that has a place in a file: its own, else its SKILL.md."""
    home = "SKILL.md" if package.path == "." else f"{package.path}/SKILL.md"
    for problem in package.problems:
        message = f"{problem.target}: {problem.message}" + (f" Fix: {problem.fix}" if problem.fix else "")
        yield Result(problem.code, "error", message, problem.path or home, problem.line or 1, f"{problem.target} {package.agent}")
    for gate in package.gates:
        if gate.required and gate.verdict is not Verdict.PASS:
            level = "error" if gate.verdict is Verdict.FAIL else "warning"
            subject = f"{package.path} {package.agent}"
            yield Result(f"gate-{gate.id}", level, f"{gate.id} is {gate.verdict.value}: {gate.message}", home, 1, subject)
    places = {row.target: row for row in package.rows}
    for failure in package.failures:
        message = f"{failure.target}: {failure.check} failed in {failure.failed} of {failure.n}: {failure.evidence}"
        path, line = _place(places.get(failure.target), home)
        yield Result("check-failed", "warning", message, path, line, f"{failure.target} {failure.check} {package.agent}")
    for one in package.accepted:
        path, line = _place(places.get(one.target), home) if one.finding is None else _at(one.finding, home)
        yield Result("accepted", "warning", f"accepted: {accepted_line(one)}", path, line, f"{one.target} {one.key}")
    for finding in package.findings:
        path, line = _at(finding, home)
        yield Result(
            finding.code, _LEVELS[finding.severity], finding.message, path, line, f"{package.path} {path} {finding.message}"
        )


def _at(finding: Finding, home: str) -> tuple[str, int]:
    return (finding.at.path, finding.at.line or 1) if finding.at is not None else (home, 1)


def _place(row: RowReport | None, home: str) -> tuple[str, int]:
    if row is None or row.path is None:
        return home, 1
    return row.path, row.line or 1


def _driver(found: Iterable[Result]) -> dict[str, Any]:
    rules = [{"id": name(code), "shortDescription": {"text": name(code)}} for code in sorted({each.code for each in found})]
    return {"name": "selftune-build", "semanticVersion": __version__, "informationUri": HOME, "rules": rules}


def _result(found: Result, prefix: str) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": quote(prefix + found.path)}, "region": {"startLine": found.line}}
    fingerprint = hashlib.sha256(f"{found.code}\0{found.subject}".encode()).hexdigest()
    return {
        "ruleId": name(found.code),
        "level": found.level,
        "message": {"text": sentence(found.message).translate(_TEXT)},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"selftune/v1": fingerprint},
    }
