"""Why a row is stale or up to date: the two sides of its key, and what was observed behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import UNSET

from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.planning.plan import RowPlan, answered, settled_inputs
from selftune_build.engine.planning.tracing import trace_address
from selftune_build.fingerprint.digest import ABSENT
from selftune_build.fingerprint.keys import Inputs
from selftune_build.limits import EXPLAINED_TRACES
from selftune_build.model.explanation import Change, Explanation, Observed
from selftune_build.stages.row import RowSpec
from selftune_build.store.traces import Traces


def explain(groups: Sequence[Sequence[PackageRun]], traces: Traces) -> list[Explanation]:
    """One explanation for each row that is asked for."""
    return [each for runs in groups for run in runs for each in _explained(run, traces)]


def changes(before: Inputs, after: Inputs) -> tuple[Change, ...]:
    """Every input that differs, by name."""
    return tuple(
        Change(name, before.get(name, UNSET), after.get(name, UNSET))
        for name in sorted(before.keys() | after.keys())
        if before.get(name, UNSET) != after.get(name, UNSET)
    )


def _explained(run: PackageRun, traces: Traces) -> Iterator[Explanation]:
    plans = [plan for plan in run.plans if run.wants(plan.spec)]
    noted = traces.below(f"{run.package.path}\0{run.agent.name}\0", EXPLAINED_TRACES) if any(p.missing for p in plans) else {}
    return (_explanation(run, plan, noted) for plan in plans)


def _explanation(run: PackageRun, plan: RowPlan, noted: Mapping[str, Mapping[str, Any]]) -> Explanation:
    spec = plan.spec
    names = plan.row.observed if plan.row is not None else plan.counted.observed
    near, address = _nearest(run, spec, noted) if plan.missing else (None, None)
    return Explanation(
        target=plan.address,
        arm=spec.arm.value,
        agent=run.agent.name,
        state="stale" if plan.missing else "up-to-date",
        source="lock" if plan.row is not None else "store" if plan.counted.samples else "nothing",
        n=plan.row.n if plan.row is not None else answered(plan.counted),
        needed=spec.needed,
        static_key=spec.key,
        asked=dict(spec.inputs),
        observed=tuple(Observed(name, spec.staged.today.get(name, ABSENT)) for name in names),
        reasons=plan.reasons,
        changes=near or (),
        compared_with=address,
    )


def _nearest(
    run: PackageRun, spec: RowSpec, noted: Mapping[str, Mapping[str, Any]]
) -> tuple[tuple[Change, ...] | None, str | None]:
    """The smallest difference to what was settled here: of the row itself, else of whichever row was asked most alike."""
    own = trace_address(run, spec)
    candidates = {own: noted[own]} if own in noted else noted
    differences = ((changes(dict(inputs), _today(spec, inputs)), address) for address, inputs in candidates.items())
    found = min(differences, key=lambda each: (len(each[0]), each[1]), default=None)
    return (found[0], found[1].rpartition("\0")[2]) if found is not None else (None, None)


def _today(spec: RowSpec, inputs: Iterable[str]) -> Inputs:
    observed = sorted(name.removeprefix("observed ") for name in inputs if name.startswith("observed "))
    return settled_inputs(spec, observed)
