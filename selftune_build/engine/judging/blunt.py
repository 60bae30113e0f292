"""Checks that do not tell whether the skill helps: they hold in every sample without it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from selftune_build.checks.registry import check_id
from selftune_build.engine.judging.remarks import Remarks, name_of
from selftune_build.engine.package_run import PackageRun
from selftune_build.graph.targets import address
from selftune_build.model.case import Arm, Check
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.lock import Row
from selftune_build.stages.row import RowSpec

CODE = "check-not-discriminating"
HINT = "ask for what only the skill brings; a check that guards against harm may stay"


def not_discriminating(run: PackageRun, rows: Mapping[str, Mapping[str, Row]], remarks: Remarks) -> Iterator[Finding]:
    """A warning for each such check of a case in which the skill should help.

    Of a row that only the lock tells of and no remark, every check held in every sample or nobody knows which did: to look would
    mean to read samples that nothing else needs.
    """
    for spec in run.specs:
        row = rows.get(spec.case.id, {}).get(Arm.WITHOUT_SKILL)
        if spec.arm is not Arm.WITHOUT_SKILL or row is None or spec.case.should_trigger is False:
            continue
        checks = spec.checks if row.passed == row.n else _always(spec, remarks)
        yield from (_finding(spec, check, row.n) for check in checks)


def _always(spec: RowSpec, remarks: Remarks) -> list[Check]:
    remark = remarks.get(name_of(spec.case.id, spec.arm.value))
    return [check for index, check in enumerate(spec.checks) if remark is not None and index in remark.always]


def _finding(spec: RowSpec, check: Check, samples: int) -> Finding:
    target = address(spec.package.handle, spec.stage, spec.case.id)
    how_often = f"all {samples} samples" if samples > 1 else "the only sample"
    message = f"{target}: {check_id(check)} holds in {how_often} without the skill, so it does not tell whether the skill helps"
    return Finding(CODE, Severity.WARNING, message, check.origin.at if check.origin else None, HINT)
