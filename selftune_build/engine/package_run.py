"""One package under one agent while it is built: its rows, what the lock says of them, what has to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

from msgspec.structs import replace

from selftune_build.agents.protocol import Agent
from selftune_build.engine.judging.comparing import plan_rows, with_baseline
from selftune_build.engine.judging.evidence import Evidence
from selftune_build.engine.judging.judge import Judge, Ruling, calls_for
from selftune_build.engine.judging.row import Bench
from selftune_build.engine.locked.policy import policy_digest
from selftune_build.engine.planning.plan import RowPlan, Trace, changes_since, kept_row, larger, plan_row
from selftune_build.engine.registry import BUILTIN, Registry
from selftune_build.engine.security import NOTHING, Inspection
from selftune_build.graph.targets import Stage
from selftune_build.lock.parsing import LockReading
from selftune_build.model.case import Arm, Check
from selftune_build.model.lock import Row
from selftune_build.model.package import Package
from selftune_build.stages.baseline import baseline_rows, measuring
from selftune_build.stages.replay import replay_rows
from selftune_build.stages.row import Asking, RowSpec
from selftune_build.stages.unit_tests import unit_test_rows


class PackageRun:
    """Holds what is asked of a package in this invocation. Nothing here runs or writes."""

    def __init__(
        self,
        asking: Asking,
        agent: Agent,
        evidence: Evidence,
        lock: LockReading,
        stages: Iterable[Stage],
        cases: Mapping[Stage, frozenset[str]],
        registry: Registry = BUILTIN,
        inspect: Callable[[], Inspection] = lambda: NOTHING,
        judge: Judge | None = None,
    ) -> None:
        self.asking = asking
        self.package: Package = asking.package
        self.agent = agent
        self.evidence = evidence
        self.lock = lock
        self.stages = frozenset(stages)
        self.registry = registry.under(asking.package.manifest.policy)
        self.cases = cases
        self.judge = judge
        self.plans: list[RowPlan] = []
        self.noted: Mapping[str, object] = {}
        """What this store remembers of its rows beside what the lock says."""
        self._only: frozenset[str] | None = None
        self._inspect = inspect

    @cached_property
    def security(self) -> Inspection:
        """What the gate `security` sees; looked at when it is asked for. Raises InputError."""
        return self._inspect()

    @cached_property
    def policy(self) -> str:
        """Digest of what a lock is written under: the package's own settings, whoever's it is judged by."""
        return policy_digest(self.package.declared or self.package.manifest)

    @cached_property
    def specs(self) -> list[RowSpec]:
        """Every row of the package, cheap ones first, whether it is asked for or not."""
        return [*unit_test_rows(self.asking), *replay_rows(self.asking), *baseline_rows(self.asking)]

    @cached_property
    def stage_of(self) -> dict[tuple[str, str], Stage]:
        """The stage of every row, by case and arm."""
        return {(spec.case.id, spec.arm.value): spec.stage for spec in self.specs}

    def plan(self, trace: Trace, resample: int, only: frozenset[str] | None) -> None:
        """Decide every row. Rows that are not asked for are kept where they hold, and nobody is asked for them."""
        self._only = only

        def plan_one(spec: RowSpec, *, anew: bool = False) -> RowPlan:
            kept = None if anew and self._asked(spec) else kept_row(spec, self.lock.locks, self.agent.name)
            return plan_row(spec, kept, self.evidence, trace, resample if self._asked(spec) else 0, self._asked(spec))

        plans = plan_rows(self.specs, plan_one, self.evidence)
        unsampled = {plan.spec.case.id for plan in plans if plan.missing and plan.spec.arm is Arm.WITHOUT_SKILL}
        self.plans = [self._with_rulings(plan, trace, plan.spec.case.id in unsampled) for plan in plans]

    def plan_anew(self, wanted: Mapping[tuple[str, str, str, str], int]) -> None:
        """Plan these rows alone, by place, each with so many samples: of this store, whatever the lock says."""
        specs = [replace(spec, needed=wanted[spec.place]) for spec in self.specs if spec.place in wanted]
        plans = [plan_row(spec, None, self.evidence, lambda _spec: None, 0, True) for spec in specs]
        unsampled = {plan.spec.case.id for plan in plans if plan.missing and plan.spec.arm is Arm.WITHOUT_SKILL}
        self.plans = [self._with_rulings(plan, lambda _spec: None, plan.spec.case.id in unsampled) for plan in plans]

    def _asked(self, spec: RowSpec) -> bool:
        return self.wants(spec) and (self._only is None or spec.case.id in self._only)

    def _with_rulings(self, plan: RowPlan, trace: Trace, baseline_comes: bool) -> RowPlan:
        """The plan with what it takes of the judge, exact for the samples that are there and at most for the others."""
        spec = plan.spec
        if spec.judge is None or not self._asked(spec) or (plan.row is not None and not plan.missing):
            return plan
        waits = spec.compares and baseline_comes
        known = self.evidence.counted(spec).samples
        plan = replace(
            plan,
            rulings=() if waits else self.rulings(plan),
            later=calls_for(spec, plan.missing + (len(known) if waits else 0)),
        )
        return plan if plan.reasons or plan.settled else replace(plan, reasons=changes_since(spec, trace, self.evidence))

    def rulings(self, plan: RowPlan) -> tuple[Ruling, ...]:
        """What the judge has yet to be asked about the samples that are there now."""
        counted = self.evidence.counted(plan.spec)
        if self.judge is None or larger(plan.row, counted) is not None:
            return ()
        return self.judge.open(plan.spec, counted.samples, self.bench(plan.spec).others)

    def bench(self, spec: RowSpec) -> Bench:
        """What decides the checks of a row that need a judge."""
        base = self._baseline_of(spec)
        return Bench(self.judge, self.evidence.counted(base).samples if base is not None else ())

    def compared_by_lock(self, spec: RowSpec) -> RowSpec:
        """The row, compared with what the lock has of the answers without the skill."""
        base = self._baseline_of(spec)
        other = kept_row(base, self.lock.locks, self.agent.name) if base is not None else None
        return with_baseline(spec, other.evidence if other is not None else "")

    def _baseline_of(self, spec: RowSpec) -> RowSpec | None:
        same = (each for each in self.specs if each.arm is Arm.WITHOUT_SKILL and each.case.id == spec.case.id)
        return next(same, None) if spec.compares else None

    @property
    def measures_outcome(self) -> Callable[[Check], bool]:
        """Whether a check looks at the outcome of the task and can be measured here."""
        return measuring(judged=self.asking.judge is not None)

    def wants(self, spec: RowSpec) -> bool:
        """Whether the row is part of what was asked for."""
        if spec.stage not in self.stages:
            return False
        narrowed = self.cases.get(spec.stage)
        return narrowed is None or spec.case.id in narrowed

    def plans_of(self, stage: Stage) -> list[RowPlan]:
        """The rows of one stage."""
        return [plan for plan in self.plans if plan.spec.stage is stage]


def failing_cases(run: PackageRun) -> frozenset[str]:
    """Cases whose rows of the lock failed, do not hold or are not there: what `--failed` narrows to."""
    return frozenset(spec.case.id for spec in run.specs if not _passes(spec, _kept(run, spec)))


def _kept(run: PackageRun, spec: RowSpec) -> Row | None:
    return kept_row(run.compared_by_lock(spec), run.lock.locks, run.agent.name)


def _passes(spec: RowSpec, row: Row | None) -> bool:
    if row is None:
        return False
    if spec.arm is Arm.WITHOUT_SKILL:
        return True
    behaved = spec.polarity is None or row.triggered == (row.n if spec.polarity else 0)
    return behaved and (not spec.checks or row.passed == row.n)
