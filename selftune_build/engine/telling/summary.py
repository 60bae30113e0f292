"""From what ran to the report: the state of every target, the reasons, the problems, the next command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from selftune_build.advice import command
from selftune_build.engine.judging.blunt import not_discriminating
from selftune_build.engine.judging.judged import judge_findings, judge_problems, rows_awaiting
from selftune_build.engine.locks.news import lock_news
from selftune_build.engine.locks.waivers import accepted_rows
from selftune_build.engine.outcome import Outcome
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.paying.ran import Ran
from selftune_build.engine.paying.taken import TakenKind
from selftune_build.engine.places import workspace_root
from selftune_build.engine.planning.plan import RowPlan, judge_calls
from selftune_build.engine.report import REFUSING
from selftune_build.engine.states import Event, advance
from selftune_build.engine.telling.advice import next_command
from selftune_build.engine.telling.noticed import drifted, noticed
from selftune_build.engine.telling.statistics import statistics_of
from selftune_build.errors import PLUGIN_MISSING
from selftune_build.gates.decide import disabled
from selftune_build.graph.targets import SAMPLED, Stage, address, stage_of
from selftune_build.limits import REPORT_REASONS
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.model.repeated import Repeated
from selftune_build.model.report import PackageReport, Problem, Reason, RowReport, StageReport, TargetState
from selftune_build.model.verdict import GateResult, Verdict
from selftune_build.wording import counted

if TYPE_CHECKING:
    from selftune_build.engine.paying.scheduler import Question


class Settled(Struct, frozen=True):
    """A package under one agent when everything has run."""

    run: PackageRun
    ran: Ran
    outcome: Outcome
    fresh: frozenset[Stage]
    """Free stages whose inputs are as the lock has them."""
    dry: bool = False
    place: Repeated = Repeated()
    """For the commands to type next."""
    detailed: bool = False
    several: bool = False
    """Whether the package is reported under other agents as well: then its rows are compared."""
    verbose: bool = False
    """Whether people are told everything already."""

    @property
    def absent(self) -> tuple[str, ...]:
        """Plugins that the policy asks for and that are not installed: without them nothing is decided."""
        names = self.run.package.manifest.policy.plugins
        return self.run.registry.absent(names) if names else ()


_OPEN = (TargetState.STALE, TargetState.SKIPPED, TargetState.FAILED)
"""Where rows of a sampled stage are left that another run would take."""


def package_report(settled: Settled) -> PackageReport:
    """The part of the report that speaks of one package."""
    run, outcome = settled.run, settled.outcome
    stages = tuple(stage_report(stage, settled) for stage in Stage if stage in run.stages)
    gates = _gates(settled)
    verdict = _verdict(settled, gates, stages)
    problems = tuple(_problems(settled))
    awaited = rows_awaiting(run, settled.ran, dry=settled.dry)
    failures = tuple(
        failure
        for failure in outcome.failures
        if _belongs(failure.target, run) and (failure.measured or failure.target not in awaited)
    )
    stopped = any(report.state in _OPEN and stage_of(report.target) in SAMPLED for report in stages)
    if any(problem.code in REFUSING for problem in problems):
        verdict = Verdict.FAIL
    return PackageReport(
        name=run.package.name,
        path=run.package.path,
        agent=run.agent.name,
        origin=run.agent.traits.origin.value,
        verdict=verdict,
        stages=stages,
        metrics=outcome.metrics if Stage.PACKAGE_EVALUATION in run.stages else {},
        gates=gates,
        problems=problems,
        findings=(
            *lock_news(run),  # first, since only so many are shown
            *run.package.findings,
            *run.security.findings,
            *drifted(run),
            *judge_findings(run, dry=settled.dry),
            *_idle_waivers(settled),
            *noticed(run, outcome.remarks),
            *not_discriminating(run, outcome.rows, outcome.remarks),
        ),
        failures=failures,
        rows=_rows(settled),
        next_command=next_command(run, failures, verdict, stopped=stopped, told=_is_told(settled, gates), place=settled.place),
        remark=run.agent.traits.remark,
        judge=run.judge.agent.name if run.judge is not None else "",
        agreements=tuple(each for each in outcome.agreements if _belongs(each.target, run)),
        statistics=statistics_of(run, outcome, dry=settled.dry, detailed=settled.detailed),
        accepted=(*run.security.accepted, *accepted_rows(run.specs, outcome.accepted)),
        switched_off=disabled(run.package.manifest.gates),
    )


def _rows(settled: Settled) -> tuple[RowReport, ...]:
    if not (settled.detailed or settled.several):
        return ()
    from selftune_build.engine.telling.row_reports import row_reports

    return row_reports(settled.run, settled.outcome.rows, settled.outcome.accepted)


def _idle_waivers(settled: Settled) -> Iterable[Finding]:
    if not settled.outcome.accepted.idle:
        return ()
    from selftune_build.engine.locks.waiver_findings import waiver_findings

    return waiver_findings(settled.run, settled.outcome.accepted)


def _is_told(settled: Settled, gates: Iterable[GateResult]) -> bool:
    """Whether `-v` would add nothing that helps: it was given, or the gates that stand in the way say what to do."""
    return settled.verbose or any(gate.required and gate.verdict is not Verdict.PASS and gate.advice for gate in gates)


def _belongs(target: str, run: PackageRun) -> bool:
    return any(target.startswith(address(run.package.handle, stage) + "[") for stage in run.stages)


def _gates(settled: Settled) -> tuple[GateResult, ...]:
    """All gates for `verify`; for less, only those whose stage was asked for."""
    gates = (*settled.outcome.gates, *settled.outcome.emptied)
    if Stage.VERIFY in settled.run.stages:
        return gates
    asked = {"spec": Stage.SPEC, "security": Stage.SPEC, "unit-tests": Stage.UNIT_TESTS}
    wanted = {gate for gate, stage in asked.items() if stage in settled.run.stages}
    return tuple(gate for gate in gates if gate.id in wanted)


def _verdict(settled: Settled, gates: Sequence[GateResult], stages: Iterable[StageReport]) -> Verdict:
    if Stage.VERIFY in settled.run.stages:
        verdict = settled.outcome.verdict
    else:
        verdicts = {gate.verdict for gate in gates if gate.required}
        verdict = next((each for each in (Verdict.FAIL, Verdict.INCONCLUSIVE) if each in verdicts), Verdict.PASS)
        if verdict is Verdict.PASS and any(_belongs(failure.target, settled.run) for failure in settled.outcome.failures):
            verdict = Verdict.INCONCLUSIVE  # no gate was asked about what did not hold
    open_states = {TargetState.STALE, TargetState.SKIPPED, TargetState.BLOCKED, TargetState.FAILED}
    incomplete = any(report.state in open_states and stage_of(report.target) in SAMPLED for report in stages)
    return Verdict.INCONCLUSIVE if (incomplete or settled.absent) and verdict is Verdict.PASS else verdict


def stage_report(stage: Stage, settled: Settled) -> StageReport:
    """The state of one target and what was run and reused for it, in rows."""
    if stage in SAMPLED:
        return _sampled_report(stage, settled)
    return StageReport(address(settled.run.package.handle, stage), _free_state(stage, settled))


def _sampled_report(stage: Stage, settled: Settled) -> StageReport:
    plans = [plan for plan in settled.run.plans_of(stage) if settled.run.wants(plan.spec)]
    missing = [plan for plan in plans if plan.missing]
    ran = [plan for plan in missing if (question := settled.ran.question_of(plan)) is not None and question.run]
    return StageReport(
        target=address(settled.run.package.handle, stage),
        state=_sampled_state([plan for plan in plans if not plan.settled], stage, settled),
        run=len(missing if settled.dry else ran),
        reused=len(plans) - len(missing),
        reasons=_reasons([plan for plan in plans if not plan.settled]),
        cases=tuple(dict.fromkeys(plan.spec.case.id for plan in (ran if not settled.dry else plans) if not plan.settled)),
    )


def _reasons(plans: Sequence[RowPlan]) -> tuple[Reason, ...]:
    """Each reason once, however many rows it made stale; first what it takes of a judge."""
    calls, reused = judge_calls(plans), sum(len(plan.counted.samples) for plan in plans if plan.judging)
    there = f"{counted(reused, 'sample')} reused, " if reused else ""
    judging = [Reason("judging", "judge", f"{there}at most {counted(calls, 'judge call')}")] if calls else []
    unique = {(reason.code, reason.name): reason for plan in plans for reason in plan.reasons}
    return (*judging, *unique.values())[:REPORT_REASONS]


def _sampled_state(open_plans: Sequence[RowPlan], stage: Stage, settled: Settled) -> TargetState:
    if not open_plans:
        return TargetState.UP_TO_DATE if stage in settled.fresh or not _judged_anew(stage, settled) else TargetState.BUILT
    if settled.dry:
        return TargetState.STALE
    events = [event for plan in open_plans for event in _events(plan, settled)]
    worst = next(event for event in (Event.BROKE, Event.HELD_BACK, Event.STOPPED, Event.ANSWERED) if event in events)
    return advance(TargetState.STALE, worst)


def _judged_anew(stage: Stage, settled: Settled) -> bool:
    return any(plan.row is None and plan.counted.samples for plan in settled.run.plans_of(stage))


def _events(plan: RowPlan, settled: Settled) -> Iterator[Event]:
    """What became of the samples of a row, and of what its judge was to be asked."""
    if plan.missing:
        yield _event(settled.ran.question_of(plan), settled)
    held_back = plan.spec.package.path in settled.ran.held_back
    if plan.judging and not plan.missing and held_back:
        yield Event.HELD_BACK
    for question in settled.ran.rulings.get(plan.spec.place, ()):
        yield _event(question, settled)
    if plan.judging and not plan.missing and plan.spec.place not in settled.ran.rulings and not held_back:
        yield Event.ANSWERED if not settled.run.rulings(plan) else Event.STOPPED


def _event(question: Question | None, settled: Settled) -> Event:
    if question is None:
        return Event.STOPPED
    trouble = question.trouble
    if trouble is not None:
        return Event.BROKE if trouble.kind is TakenKind.BROKE else Event.STOPPED
    if question.missing <= 0:
        return Event.ANSWERED
    held_back = any(spec.package.path in settled.ran.held_back for spec in question.specs)
    return Event.HELD_BACK if held_back else Event.STOPPED


def _free_state(stage: Stage, settled: Settled) -> TargetState:
    state = TargetState.UP_TO_DATE if stage in settled.fresh else TargetState.STALE
    if _refused(stage, settled):
        return advance(state, Event.REFUSED)
    if state is TargetState.UP_TO_DATE or settled.dry:
        return state
    return advance(state, Event.ANSWERED)


def _refused(stage: Stage, settled: Settled) -> bool:
    if stage is Stage.SPEC:
        return any(finding.severity is Severity.ERROR for finding in settled.run.package.findings)
    return stage is Stage.VERIFY and settled.outcome.verdict is Verdict.FAIL


def _problems(settled: Settled) -> Iterable[Problem]:
    """One problem for each row that brought no evidence, and for what stands in the way of every verdict."""
    for plan in settled.run.plans:
        question = settled.ran.question_of(plan) if plan.missing else None
        if question is not None and question.trouble is not None and question.trouble.message:
            code = "budget-used-up" if question.trouble.kind is TakenKind.NO_BUDGET else "no-evidence"
            fix = command("build", plan.address, place=settled.place)
            message = f"{settled.run.agent.name}: {question.trouble.message}{_short(plan, settled)}"
            yield Problem(code, plan.address, message, fix=fix)
    yield from judge_problems(settled.run, settled.ran, settled.place, dry=settled.dry)
    error = settled.ran.store_error
    if error is not None:
        at = error.at.path if error.at is not None else None
        yield Problem(error.code, settled.run.package.name, error.message, path=at, fix=error.hint)
    yield from _plugin_problems(settled)
    origins = settled.run.package.manifest.policy.origins
    if origins is not None and settled.run.agent.traits.origin.value not in origins:
        message = f"the evidence is {settled.run.agent.traits.origin.value}, and policy.origins asks for {', '.join(origins)}"
        yield Problem("evidence-simulated", settled.run.package.name, message, path=settled.run.package.manifest.path)


def _short(plan: RowPlan, settled: Settled) -> str:
    """How many samples a row lacks that has some."""
    row = settled.outcome.rows.get(plan.spec.case.id, {}).get(plan.spec.arm)
    if row is None or row.n >= plan.spec.needed:
        return ""
    return f" ({plan.spec.needed - row.n} of {plan.spec.needed} samples missing)"


def _plugin_problems(settled: Settled) -> Iterable[Problem]:
    """Plugins that the policy asks for and that are not here, and required gates whose plugin is missing or broke."""
    name, manifest = settled.run.package.name, settled.run.package.manifest
    for plugin in settled.absent:
        message = f"policy.plugins asks for {plugin}, which is not installed"
        yield Problem(PLUGIN_MISSING, name, message, path=manifest.path, fix=f"pip install {plugin}")
    for gate in settled.outcome.gates:
        if gate.code and gate.required:
            from selftune_build.reading.settings import gate_place  # reads manifests once more

            message = f"gate {gate.id}: {gate.message.removeprefix(gate.code + ': ')}"
            at = gate_place(workspace_root(settled.run.package), manifest.path, gate.id) or Location(manifest.path or "")
            fix = gate.advice or "selftune plugins list"
            yield Problem(gate.code, name, message, at.path or None, at.line, fix, at.pointer)
