"""Temporary files: each is guarded by who writes it, so that one of a dead process is told from one that is being written.

Its name says the process, but in containers that share a folder several have one number, and a new one has that of a killed one.
"""

from __future__ import annotations

import fcntl
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_serial = itertools.count()


@contextmanager
def temporary_file(folder: Path, name: str, shared: bool = False) -> Iterator[tuple[Path, int]]:
    """A new file for what is to stand at `name`, and its open descriptor; gone at the end unless it was renamed.

    `shared`: the folder is made where it is missing, and may be gone again at any moment. Raises OSError.
    """
    path, descriptor = _opened(folder, name, shared)
    try:
        yield path, descriptor
    finally:
        try:
            if _stands_at(descriptor, path):
                path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def is_guarded(path: Path) -> bool:
    """Whether somebody is writing a file. Raises OSError, also where the file system knows no guards."""
    with _looked_at(path) as descriptor:
        return not _guard(descriptor)


def remove_unguarded(path: Path) -> bool:
    """Remove a file unless somebody is working on it; whether it was removed. Raises OSError."""
    with _looked_at(path) as descriptor:
        if not (_guard(descriptor) and _stands_at(descriptor, path)):
            return False
        path.unlink(missing_ok=True)
        return True


def _opened(folder: Path, name: str, shared: bool) -> tuple[Path, int]:
    while True:
        path = folder / f".{name}.{os.getpid()}-{next(_serial)}.tmp"
        try:
            if shared:
                _make(folder)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            _tidy(path)
        except FileNotFoundError:
            if not shared:
                raise
        else:
            if _is_ours(descriptor, path):
                return path, descriptor
            os.close(descriptor)


def _make(folder: Path) -> None:
    with suppress(FileExistsError):  # not `exist_ok`: that looks again, and then it may be gone
        folder.mkdir()


def _tidy(path: Path) -> None:
    with suppress(OSError):  # another name will do
        remove_unguarded(path)


def _is_ours(descriptor: int, path: Path) -> bool:
    """Guard a file that was just made; False where it was taken for a leftover before that."""
    try:
        return _guard(descriptor) and _stands_at(descriptor, path)
    except OSError:  # this file system knows no guards
        return True


@contextmanager
def _looked_at(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _guard(descriptor: int) -> bool:
    """Take the guard of a file; False where another has it. Raises OSError where there are none."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stands_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False
