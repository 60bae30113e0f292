"""What has to run and why: the same code decides for `--dry-run`, for `--locked` and for the run itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce

from msgspec import UNSET, Struct

from selftune_build.checks.registry import may_change
from selftune_build.engine.judging.evidence import Evidence
from selftune_build.engine.judging.judge import Ruling
from selftune_build.engine.judging.row import holds_today, inputs_today
from selftune_build.fingerprint.digest import ABSENT
from selftune_build.fingerprint.keys import Inputs
from selftune_build.graph.cohorts import Counted
from selftune_build.graph.staleness import ReadRecord, differences
from selftune_build.graph.targets import address
from selftune_build.lock.merge import larger_row
from selftune_build.model.lock import Lock, Row
from selftune_build.model.report import Reason
from selftune_build.stages.row import RowSpec

NOTHING = Counted((), ())


class RowPlan(Struct, frozen=True):
    """One row: settled by the lock (`row`), or by samples of the store (`counted`), or short of `missing` samples."""

    spec: RowSpec
    row: Row | None = None
    counted: Counted = NOTHING
    missing: int = 0
    reasons: tuple[Reason, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    """What a judge has yet to say of samples that are there."""
    later: int = 0
    """Judge calls that samples which are not there yet lead to at most."""

    @property
    def address(self) -> str:
        """How the row is written on the command line."""
        return address(self.spec.package.handle, self.spec.stage, self.spec.case.id)

    @property
    def judging(self) -> int:
        """Judge calls that it takes at most."""
        return self.later + (sum(ruling.missing for ruling in self.rulings) if self.rulings else 0)

    @property
    def settled(self) -> bool:
        """Whether nobody has to be asked for it."""
        return not (self.missing or self.judging)


Trace = Callable[[RowSpec], Inputs | None]
"""What a row depended on when it was last settled here, None where that is not known."""


def kept_row(spec: RowSpec, locks: Iterable[Lock], agent: str) -> Row | None:
    """The row of the lock that belongs to today, of several sides of a merge the one with more samples."""
    rows = (lock.agents[agent].cases.get(spec.case.id, {}).get(spec.arm) for lock in locks if agent in lock.agents)
    holding = [row for row in rows if row is not None and holds_today(spec, row)]
    return reduce(larger_row, holding) if holding else None


def plan_row(spec: RowSpec, kept: Row | None, evidence: Evidence, trace: Trace, extra: int, asked: bool) -> RowPlan:
    """Decide one row. `extra` asks for that many samples beyond what is there (`--resample`); a row that is not asked for
    takes what is there and runs nothing."""
    suffices = kept is not None and kept.n >= spec.needed and not extra and not evidence.overrules(spec, kept)
    if suffices and not unmeasured(spec, kept):
        return RowPlan(spec, row=kept)
    counted = evidence.counted(spec)
    if suffices:
        return RowPlan(spec, row=larger(kept, counted), counted=counted)
    goal = max(spec.needed, kept.n if kept is not None and extra else 0)
    missing = max(0, goal - answered(counted)) + extra if asked else 0
    if not missing:
        return RowPlan(spec, row=larger(kept, counted), counted=counted)
    reasons = why(spec, counted, evidence, trace, extra)
    return RowPlan(spec, row=kept, counted=counted, missing=missing, reasons=reasons)


def unmeasured(spec: RowSpec, row: Row | None) -> bool:
    """Whether a check was not measured for want of a plugin, a judge or of leave to run it: worth a look, never a new sample."""
    return row is not None and row.passed is UNSET and (spec.judge is not None or any(map(may_change, spec.checks)))


def larger(kept: Row | None, counted: Counted) -> Row | None:
    """The row of the lock where it rests on more samples than this store holds."""
    return kept if kept is not None and kept.n > answered(counted) else None


def answered(counted: Counted) -> int:
    """Samples that speak for a row. Where every one hit its time limit nothing was ever answered: none."""
    if all(sample.transcript.limit for sample in counted.samples):
        return 0
    return len(counted.samples)


def why(spec: RowSpec, counted: Counted, evidence: Evidence, trace: Trace, extra: int) -> tuple[Reason, ...]:
    """One typed reason for each input that changed since the row was last settled; else that evidence is missing."""
    if extra:
        return (Reason("resample", "samples", f"{extra} more samples are asked for"),)
    if counted.samples:
        return (Reason("n-too-small", "samples", f"{len(counted.samples)} of {spec.needed} samples are there"),)
    if trace(spec) is None:
        return _outdated(spec, evidence) or (Reason("never-run", "evidence", "no evidence for this case yet"),)
    changes = changes_since(spec, trace, evidence)
    return changes or (Reason("evidence-missing", "evidence", "its samples are not in this store"),)


def changes_since(spec: RowSpec, trace: Trace, evidence: Evidence) -> tuple[Reason, ...]:
    """What changed since the row was last settled in this worktree, as far as that is known."""
    before = trace(spec)
    if before is None:
        return ()
    observed = sorted(name.removeprefix("observed ") for name in before if name.startswith("observed "))
    return differences(before, settled_inputs(spec, observed), _record_of(spec, evidence))


def _record_of(spec: RowSpec, evidence: Evidence) -> ReadRecord:
    """Reads the records of the store, and what is shown today, which no sample has brought there yet."""
    return lambda digest: spec.staged.shown_today if digest == spec.staged.shown else evidence.records.read(digest)


def _outdated(spec: RowSpec, evidence: Evidence) -> tuple[Reason, ...]:
    """What keeps the samples of this question that are there from speaking for today; empty where there are none."""
    seen = [(name, sample) for sample in evidence.samples(spec) for name in sample.observed]
    then = {f"observed {name}": evidence.staged(sample).get(name, ABSENT) for name, sample in seen}
    now = {f"observed {name}": spec.staged.today.get(name, ABSENT) for name, _ in seen}
    return differences(then, now, _record_of(spec, evidence))


def settled_inputs(spec: RowSpec, observed: Sequence[str]) -> Inputs:
    """Everything a settled row depends on, by name: what is asked, what was observed, how it is judged."""
    row = inputs_today(spec, observed)
    return {**spec.inputs, **{name: value for name, value in row.items() if name != "asked"}}


def judge_calls(plans: Iterable[RowPlan]) -> int:
    """How many judge calls they take at most: rows that put the same question share its votes."""
    rulings: dict[str, int] = {}
    later = 0
    for plan in plans:
        rulings.update({ruling.question.key: ruling.missing for ruling in plan.rulings})
        later += plan.later
    return later + sum(rulings.values())


def by_key(plans: Iterable[RowPlan]) -> Mapping[str, list[RowPlan]]:
    """Rows that ask the same and are staged alike, together: their samples are taken once."""
    groups: dict[str, list[RowPlan]] = {}
    for plan in plans:
        groups.setdefault(f"{plan.spec.key} {plan.spec.staged.tree}", []).append(plan)
    return groups


def missing_samples(plans: Iterable[RowPlan]) -> int:
    """How many samples will be taken: rows that ask the same and are staged alike share them."""
    return sum(max(plan.missing for plan in group) for group in by_key(plans).values())
