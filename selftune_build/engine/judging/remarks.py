"""What the samples behind rows show beside what their rows in the lock say: noted in the store when rows are judged, so that who
comes again is told the same without reading a sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from selftune_build.engine.judging.row import Judgement
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.planning.plan import RowPlan
from selftune_build.limits import EXPLAINED_TRACES
from selftune_build.model.case import Arm
from selftune_build.model.lock import Row
from selftune_build.store.traces import Traces

_PREFIX = "\0remarks\0"
"""No folder of a package starts so: what rows depended on is noted in the same place."""


class Remark(Struct, frozen=True, omit_defaults=True):
    """Of one row. It holds for the row with this key and these samples, and for no other."""

    key: str
    evidence: str
    always: tuple[int, ...] = ()
    """Which of its checks held in every sample, where not all did."""
    refused: tuple[str, ...] = ()
    """What its runs tried and were not allowed to."""
    programs: tuple[str, ...] = ()
    """Which ones served them, as far as they tell."""
    models: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to be told."""
        return not (self.always or self.refused or self.programs or self.models)

    def is_of(self, row: Row) -> bool:
        """Whether the row is the one that it was made for."""
        return (self.key, self.evidence) == (row.key, row.evidence)


Remarks = Mapping[str, Remark]
"""By case and arm, as `name_of` puts them together."""


def name_of(case: str, arm: str) -> str:
    """Under which name the remark on a row is noted."""
    return f"{arm}\0{case}"


def recall_remarks(runs: Iterable[PackageRun], traces: Traces) -> None:
    """Give every run what was noted of its rows."""
    known = traces.below(_PREFIX, EXPLAINED_TRACES)
    for run in runs:
        found = known.get(_address(run))
        run.noted = found if isinstance(found, dict) else {}


def remarks_on(run: PackageRun, judged: Iterable[tuple[RowPlan, Judgement]]) -> dict[str, Remark]:
    """The remarks on rows that were judged: those that were judged anew by their samples, those that stayed as noted."""
    found = ((name_of(plan.spec.case.id, plan.spec.arm.value), _remark(run, plan, judgement)) for plan, judgement in judged)
    return {name: remark for name, remark in found if remark is not None and not remark.is_empty}


def noted(run: PackageRun, remarks: Remarks) -> Iterator[tuple[str, dict[str, Any]]]:
    """What there is to note of a package, as `Traces.write` takes it; nothing where nothing was and is."""
    if remarks or run.noted:
        yield _address(run), msgspec.to_builtins(remarks)


def _address(run: PackageRun) -> str:
    return f"{_PREFIX}{run.package.path}\0{run.agent.name}"


def _remark(run: PackageRun, plan: RowPlan, judgement: Judgement) -> Remark | None:
    row, spec = judgement.row, plan.spec
    if row is plan.row:
        return _known(run, name_of(spec.case.id, spec.arm.value), row)
    always = [index for index, check in enumerate(spec.checks) if check in judgement.always]
    blunt = tuple(always) if spec.arm is Arm.WITHOUT_SKILL and row.passed != row.n else ()
    if spec.case.is_script:
        return Remark(row.key, row.evidence, blunt)
    replies = [sample.transcript.reply for sample in run.evidence.counted(spec).samples]
    return Remark(
        row.key,
        row.evidence,
        blunt,
        tuple(dict.fromkeys(line for reply in replies for line in reply.refused)),
        tuple(sorted({reply.program for reply in replies if reply.program is not None})),
        tuple(sorted({reply.model for reply in replies if reply.model is not None})),
    )


def _known(run: PackageRun, name: str, row: Row) -> Remark | None:
    try:
        remark = msgspec.convert(run.noted[name], Remark)
    except (KeyError, msgspec.ValidationError):
        return None  # a checkout may bring notes of its own
    return remark if remark.is_of(row) else None
