"""What an invocation tells beside answers: acts that were refused, programs or models that differ, what is new since the lock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from selftune_build.engine.judging.remarks import Remarks, name_of
from selftune_build.engine.package_run import PackageRun
from selftune_build.escape import one_line
from selftune_build.graph.targets import address
from selftune_build.limits import MESSAGE_CHARACTERS
from selftune_build.model.finding import Finding, Severity
from selftune_build.security.surface import drift
from selftune_build.stages.row import RowSpec


def noticed(run: PackageRun, remarks: Remarks) -> tuple[Finding, ...]:
    """A warning for each row whose runs tried what they were not allowed to, a note where not all were served alike: of the rows
    that are asked for and that count, as far as this store has seen their samples."""
    named = [(spec, name_of(spec.case.id, spec.arm.value)) for spec in run.specs if run.wants(spec)]
    known = [(spec, remarks[name]) for spec, name in named if name in remarks]
    findings = [finding for spec, remark in known for finding in _refused(spec, remark.refused)]
    findings += _drift("program", (program for _, remark in known for program in remark.programs))
    findings += _drift("model", (model for _, remark in known for model in remark.models))
    return tuple(findings)


def drifted(run: PackageRun) -> tuple[Finding, ...]:
    """What the package can reach and run beyond its lock, as long as that is of another tree."""
    sides = run.lock.locks
    if not sides or any(side.tree == run.package.tree_digest for side in sides):
        return ()
    return drift((name for side in sides for name in side.surface), run.security.surface)


def _refused(spec: RowSpec, lines: Sequence[str]) -> Iterator[Finding]:
    if lines:
        target = address(spec.package.handle, spec.stage, spec.case.id)
        message = one_line(f"{target} tried what it was not allowed to: {'; '.join(lines)}", MESSAGE_CHARACTERS)
        yield Finding("act-refused", Severity.WARNING, message, hint="a run may write only inside its workspace")


def _drift(what: str, names: Iterable[str]) -> Iterator[Finding]:
    different = sorted(set(names))
    if len(different) > 1:
        message = one_line(f"not every sample was served by the same {what}: {', '.join(different)}", MESSAGE_CHARACTERS)
        yield Finding(f"{what}-drift", Severity.NOTE, message)
