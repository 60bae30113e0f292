"""What an invocation has to say of the lock it found: that it cannot be believed, and what of it counts no longer."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

from selftune_build.engine.locks.files import lock_path
from selftune_build.engine.outcome import Rows
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.planning.plan import missing_samples
from selftune_build.escape import one_line
from selftune_build.limits import MESSAGE_CHARACTERS, SHOWN_CASES
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.model.package import LOCK_FILE
from selftune_build.wording import counted

_EXPECTED = frozenset({"lock-missing", "lock-conflict", "lock-from-the-future"})
"""Problems that are no damage, or are told elsewhere."""


def lock_news(run: PackageRun) -> tuple[Finding, ...]:
    """Known before anything is spent: damage with its price, and cases that were measured and are not there any more."""
    return (*_damage(run), *_gone(run))


def left_out(run: PackageRun, rows: Rows) -> tuple[Finding, ...]:
    """One line where a lock is written without rows that it had: of cases that are there, and no evidence of today is."""
    known = {spec.case.id for spec in run.specs}
    dropped = sum(case in known and arm not in rows.get(case, {}) for case, arms in _measured(run).items() for arm in arms)
    if not dropped:
        return ()
    verb, were = ("does", "was") if dropped == 1 else ("do", "were")
    message = f"{counted(dropped, 'row')} of the lock {verb} not hold any more and {were} left out"
    return (Finding("rows-left-out", Severity.WARNING, message, _place(run)),)


def _measured(run: PackageRun) -> dict[str, set[str]]:
    """Case → arms, of every row that the sides of the lock have of this agent."""
    measured: dict[str, set[str]] = {}
    for side in run.lock.locks:
        entry = side.agents.get(run.agent.name)
        for case, arms in entry.cases.items() if entry is not None else ():
            measured.setdefault(case, set()).update(arms)
    return measured


def _gone(run: PackageRun) -> Iterator[Finding]:
    gone = sorted(set(_measured(run)) - {spec.case.id for spec in run.specs})
    if gone:
        more = f" and {len(gone) - SHOWN_CASES} more" if len(gone) > SHOWN_CASES else ""
        verb = "is" if len(gone) == 1 else "are"
        message = f"the lock knew {counted(len(gone), 'case')} that {verb} not there any more: {', '.join(gone[:SHOWN_CASES])}"
        hint = "nothing to do where they were meant to go; else bring back the eval file that held them"
        yield Finding("cases-gone", Severity.WARNING, one_line(message, MESSAGE_CHARACTERS) + more, _place(run), hint)


def _damage(run: PackageRun) -> Iterator[Finding]:
    problems = [problem for problem in run.lock.problems if problem.code not in _EXPECTED]
    if problems:
        more = f" (and {counted(len(problems) - 1, 'more part')})" if len(problems) > 1 else ""
        samples = missing_samples(plan for plan in run.plans if run.wants(plan.spec))
        cost = f"{counted(samples, 'sample')} of this package to be taken" if samples else "the store has every sample"
        message = f"the lock cannot be believed: {problems[0].message}{more}; without it: {cost}"
        hint = f"bring back what was committed: git checkout -- {shlex.quote(os.path.relpath(lock_path(run.package)))}"
        yield Finding(problems[0].code, Severity.WARNING, one_line(message, MESSAGE_CHARACTERS), _place(run), hint)


def _place(run: PackageRun) -> Location:
    return Location(LOCK_FILE if run.package.path == "." else f"{run.package.path}/{LOCK_FILE}")
