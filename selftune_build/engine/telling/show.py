"""Look one case up: its question, every sample there is of it, each check. Asks nobody and writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from selftune_build.agents.builtin import make_agent
from selftune_build.agents.protocol import Agent
from selftune_build.checks.context import Execute
from selftune_build.checks.execute import command_executor
from selftune_build.checks.registry import check_id, needs_judge
from selftune_build.checks.weighing import check_ids, score
from selftune_build.engine.judging.evidence import Evidence
from selftune_build.engine.judging.judge import judges
from selftune_build.engine.judging.row import Judged, activated, judge_row, judge_samples
from selftune_build.engine.load import Universe
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.planning.plan import RowPlan
from selftune_build.engine.planning.tracing import tracer
from selftune_build.engine.registry import BUILTIN, Registry
from selftune_build.engine.request import BuildRequest
from selftune_build.engine.runs import AgentOf, package_runs
from selftune_build.engine.siblings.routing import used_instead
from selftune_build.engine.telling.flaky import flaky_row
from selftune_build.engine.wanted import asked_for, wanted_packages
from selftune_build.errors import UsageError
from selftune_build.lock.parsing import LockReading
from selftune_build.model.package import Package
from selftune_build.model.sample import Sample
from selftune_build.model.shown import ShownCase, ShownCheck, ShownSample
from selftune_build.model.statistics import Stolen
from selftune_build.stages.row import RowSpec
from selftune_build.store.location import find_store
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore
from selftune_build.store.traces import Traces


def show(universe: Universe, request: BuildRequest, registry: Registry = BUILTIN) -> list[ShownCase]:
    """The rows that the targets of a request name, under each of their agents.

    Raises UsageError for a target without a case and for a case that the stage does not have, and what keeps its package
    from being read. Commands of checks are run unless `request.no_exec`.
    """
    if not request.targets or any("[" not in target for target in request.targets):
        raise UsageError("show takes one case", hint="selftune show 'PACKAGE:STAGE[CASE]', as reports write it")
    asked = asked_for(universe, request)
    for broken in universe.broken:
        if broken.path in asked:
            raise broken.error
    root = find_store(universe.root)
    traces = Traces(root, universe.root)
    agents = _agents(universe, request, root, registry)
    judge_of = judges(universe.root, SampleStore(root), RecordStore(root), registry)
    runs = package_runs(universe, wanted_packages(universe, request), request, agents, judge_of, registry)
    found = [shown for run in runs for shown in _shown_run(run, traces, request)]
    if not found:
        hint = "`baseline` has cases with checks on the outcome only, `unit-tests` those of the manifest's unit_tests"
        raise UsageError(f"there is no such row: {', '.join(request.targets)}", hint=hint)
    return found


def _agents(universe: Universe, request: BuildRequest, root: Path, registry: Registry) -> AgentOf:
    samples, records = SampleStore(root), RecordStore(root)

    def agent_of(name: str, package: Package, _lock: LockReading) -> tuple[Agent, Evidence]:
        agent = make_agent(name, package.manifest, universe.root, request.model or package.manifest.model, registry.agents)
        return agent, Evidence(samples, records, agent)

    return agent_of


def _shown_run(run: PackageRun, traces: Traces, request: BuildRequest) -> Iterator[ShownCase]:
    run.plan(tracer(run, traces), 0, None)
    execute = None if request.no_exec else command_executor(run.package)
    for plan in run.plans:
        if run.cases.get(plan.spec.stage) and run.wants(plan.spec):
            yield shown_row(run, plan, execute)


def shown_row(run: PackageRun, plan: RowPlan, execute: Execute | None) -> ShownCase:
    """One row with the samples that count today, else those of an earlier text; `execute` None runs no command of a check."""
    spec = plan.spec
    counts = run.evidence.counted(spec)
    counted = {sample.call_id for sample in counts.samples}
    row = plan.row or (judge_row(spec, counts, execute, run.registry.checks, run.bench(spec)).row if counts.samples else None)
    samples = run.evidence.samples(spec)
    chosen = [sample for sample in samples if sample.call_id in counted] or list(samples)
    judged = judge_samples(spec, chosen, execute, run.registry.checks, run.bench(spec))
    return ShownCase(
        target=plan.address,
        agent=run.agent.name,
        origin=run.agent.traits.origin.value,
        arm=spec.arm.value,
        case=spec.case,
        row=plan.row,
        reasons=plan.reasons,
        samples=tuple(
            _shown_sample(spec, sample, sample.call_id in counted, results)
            for sample, results in zip(chosen, judged, strict=True)
        ),
        judge=run.judge.agent.name if run.judge is not None and any(needs_judge(check.kind) for check in spec.checks) else "",
        flaky=tuple(flaky_row(spec, row)),
        stolen=_stolen(plan, counts.samples) if spec.polarity else None,
    )


def _stolen(plan: RowPlan, samples: Sequence[Sample]) -> Stolen | None:
    by = Counter(name for sample in samples for name in used_instead(plan.spec, sample))
    return Stolen(plan.address, len(samples), dict(sorted(by.items()))) if by else None


def _shown_sample(spec: RowSpec, sample: Sample, counts: bool, judged: Judged) -> ShownSample:
    ids = check_ids(spec.case.checks)
    names = {id(check): name for check, name in zip(spec.case.checks, ids, strict=True)}
    checks = tuple(ShownCheck(names[id(check)], check_id(check), check.weight, result) for check, result in judged)
    return ShownSample(sample, counts, activated(spec, sample), checks, score(judged))
