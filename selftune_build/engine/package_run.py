"""One package under one agent while it is built: its rows, what the lock says of them, what has to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

from selftune_build.agents.protocol import Agent
from selftune_build.engine.evidence import Evidence
from selftune_build.engine.plan import RowPlan, Trace, kept_row, plan_row
from selftune_build.engine.registry import BUILTIN, Registry
from selftune_build.engine.security import NOTHING, Inspection
from selftune_build.graph.targets import Stage
from selftune_build.lock.parsing import LockReading
from selftune_build.model.case import Arm
from selftune_build.model.lock import Row
from selftune_build.model.package import Package
from selftune_build.stages.baseline import baseline_rows
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
    ) -> None:
        self.asking = asking
        self.package: Package = asking.package
        self.agent = agent
        self.evidence = evidence
        self.lock = lock
        self.stages = frozenset(stages)
        self.registry = registry.under(asking.package.manifest.policy)
        self.cases = cases
        self.plans: list[RowPlan] = []
        self._inspect = inspect

    @cached_property
    def security(self) -> Inspection:
        """What the gate `security` sees; looked at when it is asked for. Raises InputError."""
        return self._inspect()

    @cached_property
    def specs(self) -> list[RowSpec]:
        """Every row of the package, cheap ones first, whether it is asked for or not."""
        return [*unit_test_rows(self.asking), *replay_rows(self.asking), *baseline_rows(self.asking)]

    def plan(self, trace: Trace, resample: int, only: frozenset[str] | None) -> None:
        """Decide every row. Rows that are not asked for are kept where they hold, and never run."""
        self.plans = [self._plan(spec, trace, resample, only) for spec in self.specs]

    def _plan(self, spec: RowSpec, trace: Trace, resample: int, only: frozenset[str] | None) -> RowPlan:
        kept = kept_row(spec, self.lock.locks, self.agent.name)
        asked = self.wants(spec) and (only is None or spec.case.id in only)
        return plan_row(spec, kept, self.evidence, trace, resample if asked else 0, asked)

    def wants(self, spec: RowSpec) -> bool:
        """Whether the row is part of what was asked for."""
        if spec.stage not in self.stages:
            return False
        narrowed = self.cases.get(spec.stage)
        return narrowed is None or spec.case.id in narrowed

    def plans_of(self, stage: Stage) -> list[RowPlan]:
        """The rows of one stage."""
        return [plan for plan in self.plans if plan.spec.stage is stage]

    @property
    def target(self) -> str:
        """Folder of the package: how the graph addresses it."""
        return self.package.path


def failing_cases(run: PackageRun) -> frozenset[str]:
    """Cases whose rows of the lock failed, do not hold or are not there: what `--failed` narrows to."""
    return frozenset(spec.case.id for spec in run.specs if not _passes(spec, kept_row(spec, run.lock.locks, run.agent.name)))


def _passes(spec: RowSpec, row: Row | None) -> bool:
    if row is None:
        return False
    if spec.arm is Arm.WITHOUT_SKILL:
        return True
    behaved = spec.polarity is None or row.triggered == (row.n if spec.polarity else 0)
    return behaved and (not spec.checks or row.passed == row.n)
