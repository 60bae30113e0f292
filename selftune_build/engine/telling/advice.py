"""What helps most now: one whole command, or the line of a manifest to write."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from selftune_build.advice import command
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.planning.unsettled import NAME_A_JUDGE, unjudgeable
from selftune_build.graph.targets import Stage, address, stage_of
from selftune_build.model.finding import Severity
from selftune_build.model.repeated import Repeated
from selftune_build.model.report import Failure, PackageReport
from selftune_build.model.verdict import GateResult, Verdict


def next_command(
    run: PackageRun, failures: tuple[Failure, ...], verdict: Verdict, *, stopped: bool, told: bool, place: Repeated
) -> str | None:
    """The one command that helps most now, or what to write where none does; None where nothing is left to do.

    `stopped`: rows are open that another run would take, because this one was a plan, was ended or ran into trouble.
    `told`: `-v` would add nothing that helps.
    """
    handle = run.package.handle
    if verdict is Verdict.PASS:
        return None
    if stopped:
        return command("build", handle, place=place)
    if unjudgeable(run) and not any(failure.measured for failure in failures):
        return NAME_A_JUDGE
    if failures:
        return command("show", failures[0].target, place=place)
    if any(finding.severity is Severity.ERROR for finding in run.package.findings):
        return None if told else command("build", address(handle, Stage.SPEC), "-v", place=place)
    if not run.package.evals and not run.package.unit_tests:
        return command("eval generate", handle, place=place)
    return None if told else command("build", handle, "-v", place=place)


def failed_unit_tests(report: PackageReport) -> Iterator[tuple[GateResult, str]]:
    """The unit tests whose evidence of today says no, each with the required gate that says so: they block every row below, so
    nothing is built before they hold."""
    failed = [failure.target for failure in report.failures if stage_of(failure.target) == Stage.UNIT_TESTS]
    gates = [gate for gate in report.gates if gate.id == "unit-tests" and gate.required and gate.verdict is Verdict.FAIL]
    return product(gates, failed)
