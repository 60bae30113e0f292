"""A package and what was measured of it, as a mutator sees them: nothing of a case that is held out, nothing of evals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from selftune_build.engine.load import Universe
from selftune_build.engine.outcome import settle
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.siblings.competitors import competitors
from selftune_build.engine.siblings.routing import instead_of
from selftune_build.escape import one_line
from selftune_build.fingerprint.unchanged import read_file
from selftune_build.graph.targets import Stage, address
from selftune_build.limits import MESSAGE_CHARACTERS, PATCH_FILE_BYTES
from selftune_build.model.case import Arm
from selftune_build.model.lock import Row
from selftune_build.model.report import Failure
from selftune_build.model.split import is_held_out
from selftune_build.mutators.protocol import CaseEvidence, PackageView
from selftune_build.stages.row import RowSpec


def view_of(universe: Universe, run: PackageRun) -> PackageView:
    """The package by its bytes. Raises InputError where a file changed since it was read, or a competitor is not there."""
    package = run.package
    files = [file for file in package.staged if file.size <= PATCH_FILE_BYTES and not file.link]
    return PackageView(
        name=package.skill.name,
        tree=package.tree_digest,
        files={file.path: read_file(package.root, file, package.overlay) for file in files},
        siblings={other.name: other.skill.description for other in competitors(package, universe.siblings)},
    )


def evidence_of(run: PackageRun) -> tuple[CaseEvidence, ...]:
    """What lock and store know of every case that may be looked at; asks nobody, runs nothing. Raises StoreError."""
    outcome = settle(run, None)
    failures: dict[str, list[Failure]] = {}
    for failure in outcome.failures:
        failures.setdefault(failure.target, []).append(failure)
    return tuple(_evidence(run, spec, outcome.rows.get(spec.case.id, {}), failures) for spec in _shown(run))


def _shown(run: PackageRun) -> Iterator[RowSpec]:
    return (spec for spec in run.specs if spec.stage is Stage.REPLAY and not is_held_out(spec.case))


def _evidence(run: PackageRun, spec: RowSpec, rows: Mapping[str, Row], failures: Mapping[str, list[Failure]]) -> CaseEvidence:
    case, row = spec.case, rows.get(Arm.WITH_SKILL.value)
    if row is None:
        return CaseEvidence(case.id, case.prompt, case.should_trigger)
    failed = failures.get(address(spec.package.handle, spec.stage, case.id), [])
    triggered = row.triggered if isinstance(row.triggered, int) else None
    missed = row.n - triggered if triggered is not None and case.should_trigger else 0
    used = {name for names in instead_of(run, spec, missed) for name in names}
    return CaseEvidence(
        id=case.id,
        prompt=case.prompt,
        should_trigger=case.should_trigger,
        n=row.n,
        triggered=triggered,
        passed=row.passed if isinstance(row.passed, int) else None,
        failures=tuple(one_line(f"{failure.check}: {failure.evidence}", MESSAGE_CHARACTERS) for failure in failed),
        stolen_by=tuple(sorted(used)),
    )
