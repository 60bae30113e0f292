"""Where locks are read from and written to."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path, PurePosixPath

from selftune_build.errors import InputError, StoreError
from selftune_build.fingerprint.regular import read_regular
from selftune_build.limits import LOCK_BYTES
from selftune_build.lock.parsing import FUTURE, LockProblem, LockReading, read_lock
from selftune_build.lock.rendering import render
from selftune_build.model.location import Location
from selftune_build.model.lock import Lock
from selftune_build.model.package import LOCK_FILE, Package
from selftune_build.store.atomic import store_errors, write_atomic
from selftune_build.store.worktree import STORE_FOLDER


def lock_path(package: Package) -> Path:
    """Where the lock of a package stands: beside its SKILL.md."""
    return Path(package.root) / LOCK_FILE


def lock_bytes(package: Package) -> bytes | None:
    """The bytes of the lock as they stand; None without one. A lock that is no regular file reads as empty.

    Raises StoreError for one that is there and cannot be read: a build must not write over evidence it has not seen.
    """
    return lock_bytes_in(Path(package.root))


def lock_bytes_in(folder: Path) -> bytes | None:
    """As `lock_bytes`, of the package in a folder."""
    path = folder / LOCK_FILE
    with suppress(OSError):
        content = read_regular(str(path), LOCK_BYTES + 1, follow=False)
        if content is not None:
            return content
    if path.is_symlink() or (path.exists() and not path.is_file()):
        return b""
    if not path.exists():
        return None
    with store_errors("read", path), path.open("rb") as stream:
        return stream.read(LOCK_BYTES + 1)


def read_package_lock(package: Package) -> LockReading:
    """What can be believed of the lock of a package. A lock of another package counts for nothing."""
    content = lock_bytes(package)
    if content is None:
        return LockReading((), (LockProblem("lock-missing", "there is no selftune.lock"),))
    reading = read_lock(content)
    if any(lock.package != package.name for lock in reading.locks):
        return LockReading((), (LockProblem("lock-tampered", "the lock belongs to a package of another name"),))
    return reading


def refuse_newer(package: Package, reading: LockReading) -> None:
    """Raise InputError for a lock of a newer version: writing it in ours would lose what it holds."""
    for problem in reading.problems:
        if problem.code == FUTURE:
            at = Location((PurePosixPath(package.path) / LOCK_FILE).as_posix())
            raise InputError(problem.message, at=at, code=FUTURE, hint="use the release of selftune-build that wrote it")


def write_lock(package: Package, lock: Lock) -> bool:
    """Write the lock where it differs from what stands there; whether it did. Raises StoreError."""
    content = render(lock)
    if lock_bytes(package) == content:
        return False
    try:
        # A kill must not leave a file in the package: its listing is evidence.
        write_atomic(lock_path(package), content, beside=Path(package.root) / STORE_FOLDER)
    except StoreError as error:
        hint = "make the folder of the package writable and run again: the evidence is kept in the store"
        raise StoreError(error.message, at=error.at, hint=hint) from error
    return True
