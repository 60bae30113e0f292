"""The JSON report, schema `selftune.report/1` (DESIGN 8.4)."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from selftune_build.model.finding import Finding
from selftune_build.model.report import Accepted, Failure, PackageReport, Problem, Report, RowReport, Spend, StageReport
from selftune_build.model.verdict import GateResult, Metric, Verdict
from selftune_build.report.overlay import overlay_data
from selftune_build.report.statistics_json import statistics_data

REPORT_SCHEMA = "selftune.report/1"


def render(report: Report) -> str:
    """The report as one JSON document that `schemas/selftune-report-1.json` accepts; ASCII, newline at the end."""
    return json.dumps(_report(report), indent=1, allow_nan=False) + "\n"


def _report(report: Report) -> dict[str, Any]:
    spend = report.spend
    return {
        "schema": REPORT_SCHEMA,
        "ok": report.verdict is Verdict.PASS and report.exit_code == 0,
        "verdict": report.verdict.value,
        "exit_code": report.exit_code,
        "mode": report.mode,
        "spend": {
            "agent_calls": spend.agent_calls,
            "judge_calls": spend.judge_calls,
            "cost_usd": float(spend.cost_usd),
            "reused": spend.reused,
            **_left(spend),
        },
        **({"remote": msgspec.to_builtins(report.remote)} if report.remote is not None else {}),
        **({} if report.overlay is None else {"overlay": overlay_data(report.overlay)}),
        "packages": [_package(package) for package in report.packages],
    }


def _left(spend: Spend) -> dict[str, Any]:
    """What the budget did not allow, where there is such a rest."""
    if not spend.left_calls:
        return {}
    return {"left_calls": spend.left_calls, "left_usd": None if spend.left_usd is None else float(spend.left_usd)}


def _package(package: PackageReport) -> dict[str, Any]:
    return {
        "name": package.name,
        "path": package.path,
        "agent": package.agent or None,
        "origin": package.origin or None,
        "remark": package.remark or None,
        "verdict": package.verdict.value,
        "next_command": package.next_command,
        "stages": [_stage(stage) for stage in package.stages],
        "metrics": {name: _metric(metric) for name, metric in sorted(package.metrics.items())},
        "gates": [_gate(gate) for gate in package.gates],
        "problems": [_problem(problem) for problem in package.problems],
        "failures": [_failure(failure) for failure in package.failures],
        "findings": [_finding(finding) for finding in package.findings],
        "rows": [_row(row) for row in package.rows],
        **statistics_data(package.statistics),
        "accepted": [_accepted(one) for one in package.accepted],
        "switched_off": package.switched_off,
        "judge": _judge(package),
    }


def _judge(package: PackageReport) -> dict[str, Any] | None:
    if not package.judge:
        return None
    return {
        "name": package.judge,
        "rulings": sum(each.rulings for each in package.agreements),
        "votes": sum(each.votes for each in package.agreements),
        "agreeing": sum(each.agreeing for each in package.agreements),
        "checks": [msgspec.to_builtins(each) for each in package.agreements],
    }


def _stage(stage: StageReport) -> dict[str, Any]:
    reasons = [{"code": reason.code, "name": reason.name, "message": reason.message} for reason in stage.reasons]
    counts = {"run": stage.run, "reused": stage.reused}
    return {"target": stage.target, "state": stage.state.value, **counts, "reasons": reasons, "cases": list(stage.cases)}


def _metric(metric: Metric) -> dict[str, Any]:
    return {"value": metric.value, "low": metric.low, "high": metric.high, "n": metric.n}


def _gate(gate: GateResult) -> dict[str, Any]:
    known = {"id": gate.id, "verdict": gate.verdict.value, "message": gate.message, "required": gate.required}
    return {**known, "advice": gate.advice or None, "accepted": list(gate.accepted)}


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "target": problem.target,
        "message": problem.message,
        "path": problem.path,
        "line": problem.line,
        "fix": problem.fix,
        "pointer": problem.pointer,
    }


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "target": failure.target,
        "check": failure.check,
        "evidence": failure.evidence,
        "failed": failure.failed,
        "n": failure.n,
        "measured": failure.measured,
    }


def _row(row: RowReport) -> dict[str, Any]:
    return {
        "target": row.target,
        "case": row.case,
        "arm": row.arm,
        "state": row.state.value,
        "n": row.n,
        "triggered": row.triggered,
        "passed": row.passed,
        "should_trigger": row.should_trigger,
        "path": row.path,
        "line": row.line,
        "accepted": row.accepted or None,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    place = finding.at
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "path": place.path if place else None,
        "line": place.line if place else None,
        "fix": finding.hint,
        "key": finding.key,
    }


def _accepted(one: Accepted) -> dict[str, Any]:
    finding = _finding(one.finding) if one.finding is not None else None
    return {"target": one.target, "key": one.key, "reason": one.reason, "finding": finding}
