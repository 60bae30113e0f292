"""Replay of cases with chosen skills beside a package: samples, keys and store are those of the stage `replay`.

A sample is asked and kept exactly as `build` asks it: where the skills staged together are the ones that `competitors` names,
it is the same sample, and nobody pays twice. Nothing is written but the store: no lock, no trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import msgspec
from msgspec import UNSET, Struct

from selftune_build.agents.builtin import make_agent
from selftune_build.checks.execute import command_executor
from selftune_build.engine.judging.evidence import Evidence
from selftune_build.engine.judging.row import judge_row
from selftune_build.engine.load import Universe
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.paying.budget import Purse, Purses, tightest
from selftune_build.engine.paying.ran import Ran
from selftune_build.engine.paying.taken import TakenKind
from selftune_build.engine.planning.plan import RowPlan, answered, by_key
from selftune_build.engine.planning.price import Price, price_of, refuse_or_confirm
from selftune_build.engine.request import BuildRequest, Surroundings
from selftune_build.graph.cohorts import Counted
from selftune_build.graph.targets import Stage
from selftune_build.lock.parsing import LockReading
from selftune_build.model.case import Case
from selftune_build.model.package import Package
from selftune_build.model.sample import Sample
from selftune_build.stages.row import Asking, RowSpec, StagedSet
from selftune_build.store.location import find_store, open_store
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore

NO_LOCK = LockReading()


class Setting(Struct, frozen=True):
    """Cases of a package, and which skills stand beside it."""

    package: Package
    beside: tuple[Package, ...]
    cases: tuple[Case, ...]


class Seen(Struct, frozen=True):
    """What came of one case in one setting."""

    case: Case
    used: tuple[frozenset[str] | None, ...]
    """Skills that each sample activated, None where its agent does not tell. Samples that hit their limit are left out."""
    held: Fraction | None
    """The share of samples that behaved and whose checks held; None where it is not known."""
    enough: bool
    """Whether there are as many samples as the manifest asks for."""


class SideBySide:
    """Plans, prices and runs several settings as one invocation."""

    def __init__(self, universe: Universe, settings: Sequence[Setting], request: BuildRequest, around: Surroundings) -> None:
        self._request = request
        self._around = around
        self.settings = settings
        self.runs = list(_runs(universe, settings, request, around))
        for run in self.runs:
            run.plan(lambda spec: None, 0, None)
        budgets = (setting.package.manifest.budget for setting in settings)
        self.purse: Purse = tightest(budgets, request.max_calls, request.max_cost)
        self.trouble: list[str] = []
        """Why samples are missing, each reason once."""

    @property
    def missing(self) -> int:
        """Samples that are not in the store."""
        return _to_take(self._plans)

    @property
    def price(self) -> str | None:
        """What they cost, in words; None where nothing is paid."""
        price = self._price
        return str(price) if price else None

    @property
    def agents(self) -> tuple[str, ...]:
        """Who is asked, by name."""
        return tuple(dict.fromkeys(run.agent.name for run in self.runs))

    @property
    def simulated(self) -> bool:
        """Whether some of the evidence comes from no model."""
        return any(run.agent.traits.origin.value != "live" for run in self.runs)

    def run(self) -> None:
        """Take what is missing, after saying what it costs. Raises UndecidedError where nobody agreed to many paid calls."""
        budgets = [run.package.manifest.budget for run in self.runs]
        refuse_or_confirm(
            self._price,
            self._request,
            any(budget.max_calls or budget.max_cost_usd for budget in budgets),
            self._around.confirm,
        )
        if not self.missing:
            return
        price = self._price.within(*self.purse.left) if self._price else None
        self._around.progress.started(price.calls if price else self.missing, str(price) if price else None)
        try:
            for group in self._groups():
                self._note(self._run_group(group))
        finally:
            self._around.progress.done()

    def seen(self) -> list[list[Seen]]:
        """For each setting what came of each of its cases that can be measured, in order."""
        return [[self._seen(run, plan.spec) for plan in run.plans_of(Stage.REPLAY)] for run in self.runs]

    @property
    def _plans(self) -> list[RowPlan]:
        return [plan for run in self.runs for plan in run.plans]

    @property
    def _price(self) -> Price | None:
        paid = [plan for run in self.runs if not run.agent.traits.free for plan in run.plans]
        costs = {id(run.evidence): run.evidence.costs for run in self.runs}
        return price_of(_to_take(paid), [cost for each in costs.values() for cost in each])

    def _groups(self) -> list[list[PackageRun]]:
        groups: dict[int, list[PackageRun]] = {}
        for run in self.runs:
            groups.setdefault(id(run.agent), []).append(run)
        return list(groups.values())

    def _run_group(self, runs: list[PackageRun]) -> Ran:
        from selftune_build.engine.paying.running import Runner  # brings networkx, which nothing needs where nothing is missing

        return Runner(runs, self._request, Purses.of(self.purse), self._around).run()

    def _note(self, ran: Ran) -> None:
        if ran.store_error is not None:
            raise ran.store_error
        for question in ran.questions:
            if question.trouble is not None and question.trouble.kind is not TakenKind.STOPPED:
                self.trouble.append(question.trouble.message)
        self.trouble = list(dict.fromkeys(filter(None, self.trouble)))

    def _seen(self, run: PackageRun, spec: RowSpec) -> Seen:
        counted = run.evidence.counted(spec)
        told = tuple(_used(sample) for sample in counted.samples if not sample.transcript.limit)
        return Seen(spec.case, told, self._held(run, spec, counted), answered(counted) >= spec.needed)

    def _held(self, run: PackageRun, spec: RowSpec, counted: Counted) -> Fraction | None:
        if not answered(counted):
            return None
        execute = None if self._request.no_exec else command_executor(run.package, cancel=self._around.cancel)
        row = judge_row(spec, counted, execute, run.registry.checks, run.bench(spec)).row
        shares = []
        if spec.polarity is not None:
            if row.triggered is UNSET:
                return None
            shares.append(Fraction(row.triggered if spec.polarity else row.n - row.triggered, row.n))
        if spec.checks:
            if row.passed is UNSET:
                return None
            shares.append(Fraction(row.passed, row.n))
        return min(shares, default=None)


def _runs(universe: Universe, settings: Sequence[Setting], request: BuildRequest, around: Surroundings) -> Iterator[PackageRun]:
    """One run for each setting; those under one agent share it and what was read of its samples."""
    root = find_store(universe.root) if request.dry_run else open_store(universe.root)
    samples, records = SampleStore(root, around.progress.waiting), RecordStore(root)
    known: dict[str, Evidence] = {}
    sets: dict[tuple[str, ...], StagedSet] = {}

    def staged(packages: Sequence[Package]) -> StagedSet:
        return sets.setdefault(tuple(sorted(package.path for package in packages)), StagedSet(packages))

    for setting in settings:
        package = msgspec.structs.replace(setting.package, evals=setting.cases, unit_tests=())
        model = request.model or package.manifest.model
        name = request.agents[0] if request.agents else package.manifest.agent[0]
        agent = make_agent(name, package.manifest, universe.root, model, around.registry.agents)
        evidence = known.setdefault(repr((name, sorted(agent.identity.items()))), Evidence(samples, records, agent))
        asking = Asking(
            package=package,
            agent=evidence.agent.identity,
            model=model,
            needed=1 if evidence.agent.traits.deterministic else package.manifest.samples.min,
            with_skill=staged([package, *setting.beside]),
            without_skill=staged(setting.beside),
            alone=staged([package]),
        )
        yield PackageRun(asking, evidence.agent, evidence, NO_LOCK, [Stage.REPLAY], {}, around.registry)


def _to_take(plans: Iterable[RowPlan]) -> int:
    """Samples that are missing: rows that ask the same and are staged alike share them."""
    return sum(max(plan.missing for plan in group) for group in by_key(plans).values())


def _used(sample: Sample) -> frozenset[str] | None:
    used = sample.transcript.reply.skills_used
    return None if used is None else frozenset(used)
