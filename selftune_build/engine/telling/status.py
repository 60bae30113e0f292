"""How far every package is: the first step that is left, by tree and lock alone; age and models by the samples of the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from selftune_build.advice import command
from selftune_build.engine.load import Universe
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.planning.invocation import Planned
from selftune_build.engine.publishing import publishable
from selftune_build.engine.request import BuildRequest
from selftune_build.engine.telling.advice import failed_unit_tests
from selftune_build.graph.targets import Stage, address, stage_of
from selftune_build.model.finding import Severity
from selftune_build.model.package import Package
from selftune_build.model.repeated import Repeated
from selftune_build.model.report import PackageReport, Problem
from selftune_build.model.sample import Sample
from selftune_build.model.status import PackageStatus, Readiness
from selftune_build.model.verdict import Verdict
from selftune_build.reading.scripts import scripts

_STALE = frozenset({"case-missing", "key-changed", "n-too-small", "lock-missing", "lock-tampered", "agent-changed"})


class Step(Struct, frozen=True):
    """What is left to do."""

    state: Readiness
    summary: str
    command: str


def statuses(request: BuildRequest, planned: Planned) -> list[PackageStatus]:
    """The status of every package that is asked for; the plan says what the store knows of it. Raises SelftuneError."""
    locked = msgspec.structs.replace(request, dry_run=False, locked=True)
    reports = publishable(planned.universe, locked, planned.registry).packages
    return _statuses(planned.universe, reports, [run for runs in planned.groups for run in runs], request.repeated)


def _statuses(
    universe: Universe, reports: Iterable[PackageReport], runs: Iterable[PackageRun], place: Repeated
) -> list[PackageStatus]:
    packages = {package.path: package for package in universe.packages}
    planned = {(run.package.path, run.agent.name): run for run in runs}
    return [_status(packages.get(each.path), each, planned.get((each.path, each.agent)), place) for each in reports]


def _status(package: Package | None, report: PackageReport, run: PackageRun | None, place: Repeated) -> PackageStatus:
    step = first_step(package, report, place) if package is not None else _unread(report)
    samples = _counted(run) if run is not None else []
    recorded = sorted(filter(None, (sample.recorded for sample in samples)))
    plans = [plan for plan in run.plans if not plan.spec.case.is_script] if run is not None else []
    return PackageStatus(
        name=report.name,
        path=report.path,
        agent=report.agent,
        origin=report.origin,
        state=step.state,
        summary=step.summary,
        next_command=step.command,
        verdict=report.verdict,
        oldest=recorded[0] if recorded else None,
        newest=recorded[-1] if recorded else None,
        asked=len(plans),
        answered=sum(plan.row is not None or bool(plan.counted.samples) for plan in plans),
        models=tuple(sorted({model for sample in samples if (model := sample.transcript.reply.model)})),
    )


def first_step(package: Package, report: PackageReport, place: Repeated) -> Step:
    """The first step that is left, with the one command that takes it."""
    return next(_steps(package, report, place))


def _steps(package: Package, report: PackageReport, place: Repeated) -> Iterator[Step]:
    def step(state: Readiness, summary: str, verb: str, *words: str) -> Step:
        return Step(state, summary, command(verb, *words, place=place))

    handle = package.handle
    if report.verdict is Verdict.PASS:  # nothing that the gates do not ask for may stand in the way
        yield step(Readiness.READY_TO_PUBLISH, "verified", "publish", handle)
    stale = _stale_rows(report.problems)
    for finding in package.findings:
        if finding.severity is Severity.ERROR:
            where = f" ({finding.at})" if finding.at is not None else ""
            yield step(Readiness.BLOCKED_SPEC_VALIDATION, f"{finding.message}{where}", "build", address(handle, Stage.SPEC), "-v")
        if finding.code == "reference-missing":
            yield step(Readiness.NEEDS_PACKAGE_RESOURCES, finding.message, "build", address(handle, Stage.SPEC), "-v")
    if not package.evals:
        yield step(Readiness.NEEDS_EVALS, "there is no eval case", "eval generate", handle)
    if not package.unit_tests and scripts(package):
        yield step(Readiness.NEEDS_UNIT_TESTS, "no unit test runs its scripts", "eval unit-test", "--generate", handle)
    for gate, target in failed_unit_tests(report):  # they block the rows below
        yield step(Readiness.NEEDS_UNIT_TESTS, gate.message, "show", target)
    for stage, state in _ROWS:
        if stale.get(stage):
            yield step(state, f"{stale[stage]} rows have no evidence of today", "build", address(handle, stage))
    failing = [gate for gate in report.gates if gate.required and gate.verdict is not Verdict.PASS]
    simulated = [problem for problem in report.problems if problem.code == "evidence-simulated"]
    others = [problem for problem in report.problems if problem.code not in ("gate-failed", "evidence-simulated")]
    if others:
        yield step(Readiness.NEEDS_VERIFICATION, others[0].message, "build", handle)
    if failing:
        summary = f"{failing[0].id} is {failing[0].verdict.value}: {failing[0].message}"
        yield step(Readiness.NEEDS_PASSING_GATES, summary, "build", handle, "-v")
    if simulated:
        yield Step(Readiness.NEEDS_LIVE_EVIDENCE, simulated[0].message, command("doctor"))
    yield step(Readiness.NEEDS_VERIFICATION, f"{report.verdict.value}", "build", handle, "-v")


_ROWS = (
    (Stage.UNIT_TESTS, Readiness.NEEDS_UNIT_TESTS),
    (Stage.REPLAY, Readiness.NEEDS_ROUTING_REPLAY),
    (Stage.BASELINE, Readiness.NEEDS_BASELINE),
)


def _stale_rows(problems: Iterable[Problem]) -> Mapping[Stage, int]:
    """How many rows of each stage do not hold, by the problems of a locked verify."""
    found: dict[Stage, int] = {}
    for problem in problems:
        stage = stage_of(problem.target)
        if "[" in problem.target and problem.code in _STALE and stage in tuple(Stage):
            found[Stage(stage)] = found.get(Stage(stage), 0) + 1
    return found


def _unread(report: PackageReport) -> Step:
    problem = report.problems[0]
    return Step(Readiness.BLOCKED_SPEC_VALIDATION, problem.message, problem.fix or "")


def _counted(run: PackageRun) -> Sequence[Sample]:
    specs = {spec.key: spec for spec in run.specs if not spec.case.is_script}
    return [sample for spec in specs.values() for sample in run.evidence.counted(spec).samples]
