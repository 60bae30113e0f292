"""The locks of a workspace as a commit has them, beside those of today."""

from __future__ import annotations

from collections.abc import Iterator

from selftune_build.engine.load import Universe
from selftune_build.engine.locks.files import lock_bytes_in
from selftune_build.engine.past.workspace import PastWorkspace
from selftune_build.limits import LOCK_BYTES
from selftune_build.lock.parsing import LockProblem, LockReading, read_lock
from selftune_build.model.package import LOCK_FILE
from selftune_build.revision.repository import find_repository
from selftune_build.revision.revision import open_revision

Readings = tuple[str, str, LockReading, LockReading]
"""Name and folder of a package, what could be read of its lock then and now."""


def both_readings(universe: Universe, revision: str) -> Iterator[Readings]:
    """Every package that has a lock here or there. Raises UsageError and UndecidedError for the revision."""
    past = PastWorkspace(universe.root, open_revision(find_repository(universe.root).root, revision))
    packages = {package.path: package for package in universe.packages}
    for path in sorted({*packages, *(past.members() or ())}):
        before = past.revision.read(past.place(f"{path}/{LOCK_FILE}"), LOCK_BYTES)
        after = lock_bytes_in(universe.root / path)
        if before != after:
            name = packages[path].handle if path in packages else path.rpartition("/")[2]
            yield name, path, _reading(before), _reading(after)


def _reading(content: bytes | None) -> LockReading:
    if content is None:
        return LockReading((), (LockProblem("lock-missing", "there is no lock"),))
    return read_lock(content)
