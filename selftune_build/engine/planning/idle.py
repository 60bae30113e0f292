"""Whether an invocation had nothing to do, so that the next one with the same question may give the same answer."""

from __future__ import annotations

from selftune_build.engine.request import BuildRequest
from selftune_build.exits import REFUSED, UNDECIDED, VERIFIED
from selftune_build.graph.targets import SAMPLED, stage_of
from selftune_build.model.report import PackageReport, Report, StageReport, TargetState


def nothing_to_do(report: Report, request: BuildRequest) -> bool:
    """Whether every target was up to date and was looked at for itself, not only planned, judged by its lock or sampled again.

    A gate that says no is an answer like any other; a package that could not be read, or a row without evidence, is none.
    """
    asked_otherwise = request.locked or request.dry_run or request.resample or request.against
    ended_otherwise = report.exit_code not in (VERIFIED, REFUSED, UNDECIDED) or _called(report) or not report.packages
    return not (asked_otherwise or ended_otherwise) and all(is_idle(package) for package in report.packages)


def _called(report: Report) -> bool:
    return bool(report.spend.agent_calls or report.spend.judge_calls)


def is_idle(package: PackageReport) -> bool:
    """Whether nothing was to be done for one package."""
    told = {problem.code for problem in package.problems} <= {"evidence-simulated", "judge-family"}
    fleeting = any(gate.fleeting for gate in package.gates)
    return told and not fleeting and all(_is_settled(stage) for stage in package.stages)


def _is_settled(stage: StageReport) -> bool:
    refused = stage.state is TargetState.FAILED and stage_of(stage.target) not in SAMPLED
    return stage.run == 0 and (stage.state is TargetState.UP_TO_DATE or refused)
