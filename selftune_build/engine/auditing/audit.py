"""`selftune audit`: a random part of the rows of the locks is run again, and what comes out is held against what is locked.

Fresh samples have a store of their own below the store, so no lock ever counts them, and an audit that was interrupted goes on
where it was (ADR 0049). Nothing but that store is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from selftune_build.checks.execute import command_executor
from selftune_build.engine.auditing.draw import Candidate, Pair, candidates, drawn, first_sample
from selftune_build.engine.auditing.row import audited_row, planned_row, served_otherwise
from selftune_build.engine.load import Universe
from selftune_build.engine.locked.verification import check
from selftune_build.engine.locks.soundness import unsound, unsound_status
from selftune_build.engine.outcome import Rows, judge_plans
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.paying.budget import Purses, tightest
from selftune_build.engine.paying.ran import Ran
from selftune_build.engine.planning.invocation import plan_rows, stores_at
from selftune_build.engine.planning.plan import judge_calls, missing_samples
from selftune_build.engine.planning.price import Price, price_of, refuse_or_confirm, together
from selftune_build.engine.report import broken_reports
from selftune_build.engine.request import BuildRequest, Surroundings
from selftune_build.engine.wanted import wanted_packages
from selftune_build.exits import INTERRUPTED, REFUSED, UNDECIDED, VERIFIED
from selftune_build.graph.targets import Stage
from selftune_build.model.audit import Audit, AuditedRow, AuditVerdict, Caught
from selftune_build.model.case import Arm
from selftune_build.model.report import Spend
from selftune_build.model.sample import EvidenceOrigin
from selftune_build.stats.audit import by_kind, caught, contradicted, corrected
from selftune_build.store.location import find_store, open_store
from selftune_build.store.survey import AUDITS

ALPHA = 0.01
"""How often an honest lock is refuted by chance, at most."""
INVENTED = (Fraction(1, 20), Fraction(1, 5))


class Wish(Struct, frozen=True):
    """How large a part is drawn, and by what."""

    fraction: Decimal
    nonce: str


def audit(universe: Universe, request: BuildRequest, around: Surroundings, wish: Wish) -> Audit:
    """Draw, run and compare. Raises SelftuneError where nothing could be decided at all."""
    nothing = Audit(AuditVerdict.REFUSED, REFUSED, wish.nonce, f"{wish.fraction.normalize():f}", ALPHA)
    problems = unsound(check(universe, _whole(universe, request), around.registry))
    if problems:
        return replace(nothing, exit_code=unsound_status(problems), problems=tuple(problems))
    store = find_store(universe.root) if request.dry_run else open_store(universe.root)
    root = store / AUDITS / wish.nonce
    groups = _runs(universe, request, store, around)
    population = [*candidates(run for runs in groups for run in runs)]
    if not population:
        return replace(nothing, verdict=AuditVerdict.INCONCLUSIVE, exit_code=UNDECIDED)
    anew = replace(request, keep_going=True, first_sample=first_sample(wish.nonce))
    fresh = _runs(universe, anew, root, around)
    pairs = _pairs(drawn(population, Fraction(wish.fraction), wish.nonce), fresh)
    calls, price = _planned(fresh, pairs)
    about = replace(
        nothing,
        store=str(root),
        population=len(population),
        calls=calls,
        price=str(price) if price else None,
        simulated=_simulated(pairs),
    )
    if request.dry_run:
        return _plan(about, pairs)
    budgeted = any(_has_budget(pair.fresh) for pair in pairs)
    refuse_or_confirm(price, request, budgeted, around.confirm)
    return _held_against(about, pairs, fresh, anew, around)


def _held_against(
    about: Audit, pairs: Sequence[Pair], fresh: Sequence[Sequence[PackageRun]], request: BuildRequest, around: Surroundings
) -> Audit:
    """Take what is missing, and compare. Raises StoreError."""
    there = sum(plan.spec.needed - plan.missing for group in fresh for run in group for plan in run.plans)
    purses = Purses.of(tightest((pair.fresh.package.manifest.budget for pair in pairs), request.max_calls, request.max_cost))
    rans = _run(fresh, request, purses, around, about)
    rows = _compared(pairs, rans, request, around)
    spend = Spend(purses.agents.calls, purses.judges.calls, str(purses.whole.cost), there)
    notes = served_otherwise(pairs)
    return _verdict(replace(about, spend=spend, interrupted=around.stop.is_set(), notes=notes), rows)


def _whole(universe: Universe, request: BuildRequest) -> BuildRequest:
    """The locked check of every package that is asked for, whole: part of a lock does not hold."""
    handles = [wanted.package.handle for wanted in wanted_packages(universe, request)]
    broken = [report.path for report in broken_reports(universe, request)]
    return replace(request, targets=(*handles, *broken), locked=True, dry_run=False)


def _runs(universe: Universe, request: BuildRequest, root: Path, around: Surroundings) -> list[list[PackageRun]]:
    return plan_rows(universe, request, stores_at(root, universe, around.progress.waiting), around.registry)


def _pairs(draw: Sequence[Candidate], fresh: Sequence[Sequence[PackageRun]]) -> list[Pair]:
    """Plan the draw: each of its rows with as many samples as it counts, and what some of them are compared with."""
    runs = {(run.package.path, run.agent.name): run for group in fresh for run in group}
    mine: dict[tuple[str, str], list[Candidate]] = {place: [] for place in runs}
    for candidate in draw:
        mine[candidate.run.package.path, candidate.run.agent.name].append(candidate)
    for place, chosen in mine.items():
        runs[place].plan_anew({each.spec.place: each.row.n for each in [*_baselines(chosen), *chosen]})
    plans = {(place, plan.spec.place): plan for place, run in runs.items() for plan in run.plans}
    places = [(each.run.package.path, each.run.agent.name) for each in draw]
    return [Pair(each, runs[place], plans[place, each.spec.place]) for each, place in zip(draw, places, strict=True)]


def _baselines(chosen: Sequence[Candidate]) -> Iterator[Candidate]:
    """The rows without the skill that chosen ones are compared with."""
    for candidate in chosen:
        rows = candidate.run.lock.locks[0].agents[candidate.run.agent.name].cases.get(candidate.spec.case.id, {})
        base = rows.get(Arm.WITHOUT_SKILL.value)
        if candidate.spec.compares and base is not None:
            specs = (each for each in candidate.run.specs if each.case.id == candidate.spec.case.id)
            yield from (Candidate(candidate.run, each, base) for each in specs if each.stage is Stage.BASELINE)


def _planned(fresh: Sequence[Sequence[PackageRun]], pairs: Sequence[Pair]) -> tuple[int, Price | None]:
    """How many samples are missing, and what those cost that are paid, by what the samples behind the lock have cost."""
    plans = [plan for group in fresh for run in group for plan in run.plans]
    paid = [plan for group in fresh for run in group if not run.agent.traits.free for plan in run.plans]
    calls = missing_samples(plan for plan in paid if not plan.spec.case.is_script)
    asked = [run for group in fresh for run in group if run.judge is not None and not run.judge.agent.traits.free]
    costs, of_judges = _costs(pairs)
    price = together(price_of(calls, costs), price_of(judge_calls(plan for run in asked for plan in run.plans), of_judges))
    return missing_samples(plans), price


def _costs(pairs: Sequence[Pair]) -> tuple[list[Decimal], list[Decimal]]:
    """What agents and judges have cost for the rows of the draw, as far as the ordinary store knows."""
    for candidate in (pair.candidate for pair in pairs):
        samples = candidate.run.evidence.counted(candidate.spec).samples
        if candidate.run.judge is not None:
            candidate.run.judge.open(candidate.spec, samples, candidate.run.bench(candidate.spec).others)
    runs = {id(pair.candidate.run): pair.candidate.run for pair in pairs}.values()
    agents = {id(run.evidence): run.evidence.costs for run in runs}
    judges = {id(run.judge.opinions): run.judge.opinions.costs for run in runs if run.judge is not None}
    return [cost for each in agents.values() for cost in each], [cost for each in judges.values() for cost in each]


def _has_budget(run: PackageRun) -> bool:
    budget = run.package.manifest.budget
    return bool(budget.max_calls or budget.max_cost_usd)


def _run(
    fresh: Sequence[Sequence[PackageRun]], request: BuildRequest, purses: Purses, around: Surroundings, about: Audit
) -> dict[int, Ran]:
    """What came of the runs of each package. Raises StoreError."""
    rans: dict[int, Ran] = {}
    open_groups = [group for group in fresh if any(not plan.settled for run in group for plan in run.plans)]
    if not open_groups:
        return rans
    from selftune_build.engine.paying.running import Runner  # brings networkx, which nothing needs where nothing is missing

    plans = [plan for group in open_groups for run in group for plan in run.plans]
    around.progress.started(about.calls + judge_calls(plans), about.price)
    try:
        for group in open_groups:
            ran = Runner(group, request, purses, around).run()
            if ran.store_error is not None:
                raise ran.store_error
            rans.update({id(run): ran for run in group})
    finally:
        around.progress.done()
    return rans


def _compared(pairs: Sequence[Pair], rans: dict[int, Ran], request: BuildRequest, around: Surroundings) -> list[AuditedRow]:
    found: dict[int, Rows] = {}
    for run in {id(pair.fresh): pair.fresh for pair in pairs}.values():
        execute = None if request.no_exec else command_executor(run.package, cancel=around.cancel)
        found[id(run)], _ = judge_plans(run, execute)
    rows = [found[id(pair.fresh)].get(pair.plan.spec.case.id, {}).get(pair.plan.spec.arm.value) for pair in pairs]
    return [audited_row(pair, row, rans.get(id(pair.fresh), Ran())) for pair, row in zip(pairs, rows, strict=True)]


def _plan(about: Audit, pairs: Sequence[Pair]) -> Audit:
    """What would be run, and how sure it would find what was invented, if the rest came out as it is locked."""
    rows = [planned_row(pair) for pair in pairs]
    shown = tuple(replace(row, fresh_n=0, claims=()) for row in rows)
    return replace(about, verdict=AuditVerdict.PLANNED, exit_code=VERIFIED, rows=shown, caught=_caught(rows, about))


def _verdict(about: Audit, rows: Sequence[AuditedRow]) -> Audit:
    """What the rows say together. By chance nothing is refuted before every sample is there: one look, one error rate."""
    compared = [row.claims for row in rows if not row.missing]
    kinds = by_kind(compared)
    p, whole = corrected(kinds), len(compared) == len(rows)
    about = replace(about, rows=tuple(rows), kinds=kinds, p=p)
    if contradicted(compared) or (whole and p is not None and p < ALPHA):
        verdict, status = AuditVerdict.REFUTED, REFUSED
    elif whole:
        verdict, status = AuditVerdict.CONSISTENT, VERIFIED
        about = replace(about, caught=_caught(rows, about))
    else:
        verdict, status = AuditVerdict.INCONCLUSIVE, UNDECIDED
    interrupted = about.interrupted and not whole
    return replace(about, verdict=verdict, exit_code=INTERRUPTED if interrupted else status, interrupted=interrupted)


def _caught(rows: Sequence[AuditedRow], about: Audit) -> tuple[Caught, ...]:
    claims = [row.claims for row in rows]
    return tuple(caught(claims, about.population, share, ALPHA) for share in INVENTED)


def _simulated(pairs: Sequence[Pair]) -> bool:
    agents = (pair.fresh.agent for pair in pairs if pair.candidate.spec.arm is not Arm.SCRIPT)
    return any(agent.traits.origin is not EvidenceOrigin.LIVE for agent in agents)
