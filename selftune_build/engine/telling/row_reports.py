"""Every row of a package told in counts, for reports that list cases."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET

from selftune_build.engine.locks.waivers import Waived, place_of
from selftune_build.engine.package_run import PackageRun
from selftune_build.escape import one_line
from selftune_build.graph.targets import address
from selftune_build.limits import MESSAGE_CHARACTERS
from selftune_build.model.case import Arm
from selftune_build.model.lock import Row
from selftune_build.model.manifest import Waiver
from selftune_build.model.report import RowReport, RowState
from selftune_build.stages.row import RowSpec


def row_reports(run: PackageRun, rows: Mapping[str, Mapping[str, Row]], taken: Waived) -> tuple[RowReport, ...]:
    """The rows that are asked for, in the order of the suite; `rows` are those of the lock as it is now, `taken` what of them
    is accepted."""
    return tuple(
        _row(spec, rows.get(spec.case.id, {}).get(spec.arm.value), taken.rows.get(place_of(spec)))
        for spec in run.specs
        if run.wants(spec)
    )


def _row(spec: RowSpec, row: Row | None, waiver: Waiver | None) -> RowReport:
    origin = spec.case.origin
    return RowReport(
        target=address(spec.package.handle, spec.stage, spec.case.id),
        case=spec.case.id,
        arm=spec.arm.value,
        state=_state(spec, row),
        n=row.n if row is not None else 0,
        triggered=None if row is None or row.triggered is UNSET else row.triggered,
        passed=None if row is None or row.passed is UNSET else row.passed,
        should_trigger=spec.polarity,
        path=origin.at.path if origin is not None else None,
        line=origin.at.line if origin is not None else None,
        accepted=one_line(waiver.reason, MESSAGE_CHARACTERS) if waiver is not None else "",
    )


def _state(spec: RowSpec, row: Row | None) -> RowState:
    if row is None or row.n == 0:
        return RowState.MISSING
    answers = [*_as_wanted(spec, row), *([None if row.passed is UNSET else row.passed == row.n] if spec.checks else [])]
    if False in answers and spec.arm is not Arm.WITHOUT_SKILL:
        return RowState.FAILED
    return RowState.UNDECIDED if None in answers else RowState.HELD


def _as_wanted(spec: RowSpec, row: Row) -> list[bool | None]:
    """Whether the skill was used when it should be and only then; nothing where the case does not ask."""
    if spec.polarity is None:
        return []
    return [None if row.triggered is UNSET else row.triggered == (row.n if spec.polarity else 0)]
