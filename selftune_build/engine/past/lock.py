"""What the lock of a revision says of the cases of today, and which of them were the same cases then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from selftune_build.engine.package_run import PackageRun
from selftune_build.errors import InputError, UndecidedError
from selftune_build.limits import EVAL_FILE_BYTES, LOCK_BYTES
from selftune_build.lock.parsing import read_lock
from selftune_build.model.case import Case
from selftune_build.model.lock import AgentEntry, Row
from selftune_build.model.package import LOCK_FILE, Package
from selftune_build.reading.evals.suite import read_eval_files
from selftune_build.revision.revision import Revision


class Past(Struct, frozen=True):
    """The entry of one agent in the lock of a revision, and the ids of the cases that were asked and judged then as today."""

    entry: AgentEntry | None
    same: frozenset[str] = frozenset()

    def row(self, case: str, arm: str) -> Row | None:
        """The row of a case that is the same; None where there is none."""
        return self.entry.cases.get(case, {}).get(arm) if self.entry is not None and case in self.same else None


def past_of(run: PackageRun, revision: Revision) -> Past:
    """Read the lock and the cases of a package as a commit has them. What cannot be read is not there."""
    package = run.package
    content = revision.read(_inside(package, LOCK_FILE), LOCK_BYTES)
    locks = read_lock(content).locks if content is not None else ()
    entry = next((lock.agents[run.agent.name] for lock in locks if run.agent.name in lock.agents), None)
    if entry is None:
        return Past(None)
    then = _cases_then(package, revision)
    same = {
        case.id for case in package.evals if _asked(case) == _asked(then.get(case.id)) and not _regraded(package, case, revision)
    }
    return Past(entry, frozenset(same))


def _regraded(package: Package, case: Case, revision: Revision) -> bool:
    """Whether a program that judges the case is another one than then."""
    return bool(revision.changed(_inside(package, path) for check in case.checks for path in check.files))


def _inside(package: Package, path: str) -> str:
    return path if package.path == "." else f"{package.path}/{path}"


def _cases_then(package: Package, revision: Revision) -> Mapping[str, Case]:
    """The cases of today's eval files as the commit has these files. Files of plugins' formats have none."""

    def read(path: str) -> bytes:
        content = revision.read(_inside(package, path), EVAL_FILE_BYTES)
        if content is None:
            raise FileNotFoundError(path)
        return content

    start = "" if package.path == "." else f"{package.path}/"
    at = {case.origin.at.path for case in package.evals if case.origin is not None}
    paths = sorted(path.removeprefix(start) for path in at if path.startswith(start))
    there = [path for path in paths if revision.read(_inside(package, path), EVAL_FILE_BYTES) is not None]
    try:
        cases: Iterable[Case] = read_eval_files(
            there, read, False, package_name=package.name, limits=package.manifest.limits
        ).cases
    except (InputError, UndecidedError, OSError):
        cases = ()
    return {case.id: case for case in cases}


def _asked(case: Case | None) -> Any:
    """All of a case that decides what is asked and how it is judged."""
    return None if case is None else replace(case.without_origin(), tags=())
