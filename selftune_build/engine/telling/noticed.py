"""What an invocation tells beside answers: acts that were refused, programs or models that differ, what is new since the lock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.planning.plan import RowPlan
from selftune_build.escape import one_line
from selftune_build.limits import MESSAGE_CHARACTERS
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.sample import Reply
from selftune_build.security.surface import drift


def noticed(run: PackageRun) -> tuple[Finding, ...]:
    """A warning for each row whose runs tried what they were not allowed to, a note where not all were served alike.

    Only of rows that were sampled now: to look at the others would mean to read samples that nothing else needs.
    """
    sampled = [(plan, _replies(run, plan)) for plan in run.plans if plan.missing and not plan.spec.case.is_script]
    findings = [finding for plan, replies in sampled for finding in _refused(plan, replies)]
    findings += _drift("program", (reply.program for _, replies in sampled for reply in replies))
    findings += _drift("model", (reply.model for _, replies in sampled for reply in replies))
    return tuple(findings)


def drifted(run: PackageRun) -> tuple[Finding, ...]:
    """What the package can reach and run beyond its lock, as long as that is of another tree."""
    sides = run.lock.locks
    if not sides or any(side.tree == run.package.tree_digest for side in sides):
        return ()
    return drift((name for side in sides for name in side.surface), run.security.surface)


def _replies(run: PackageRun, plan: RowPlan) -> list[Reply]:
    return [sample.transcript.reply for sample in run.evidence.counted(plan.spec).samples]


def _refused(plan: RowPlan, replies: Iterable[Reply]) -> Iterator[Finding]:
    lines = dict.fromkeys(line for reply in replies for line in reply.refused)
    if lines:
        message = one_line(f"{plan.address} tried what it was not allowed to: {'; '.join(lines)}", MESSAGE_CHARACTERS)
        yield Finding("act-refused", Severity.WARNING, message, hint="a run may write only inside its workspace")


def _drift(what: str, names: Iterable[str | None]) -> Iterator[Finding]:
    different = sorted({name for name in names if name is not None})
    if len(different) > 1:
        message = one_line(f"not every sample was served by the same {what}: {', '.join(different)}", MESSAGE_CHARACTERS)
        yield Finding(f"{what}-drift", Severity.NOTE, message)
