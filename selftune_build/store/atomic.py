"""The one place that writes files whole: after a crash the old content or the new, never a part of either."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from selftune_build.errors import StoreError
from selftune_build.model.location import Location

_HINTS = {
    errno.ENOSPC: "free some space and run again; nothing that was paid for is lost",
    errno.EDQUOT: "free some of the quota and run again; nothing that was paid for is lost",
    errno.EACCES: "make it writable for this user, or name another store in $SELFTUNE_STORE",
    errno.EPERM: "make it writable for this user, or name another store in $SELFTUNE_STORE",
    errno.EROFS: "the file system is read-only: name another store in $SELFTUNE_STORE",
    errno.EMFILE: "too many files are open: raise `ulimit -n` or lower --jobs",
    errno.ENFILE: "too many files are open on this machine: lower --jobs",
    errno.EAGAIN: "too many processes are running: raise `ulimit -u` or lower --jobs",
    errno.ENOMEM: "there is no memory left: lower --jobs",
    errno.EFBIG: "files may not grow that large here: raise `ulimit -f` and run again; nothing that was paid for is lost",
}


@contextmanager
def store_errors(doing: str, path: Path | str, hint: str | None = None, family: type[StoreError] = StoreError) -> Iterator[None]:
    """Turn every OSError inside into a StoreError that says what was done to which path and what helps."""
    try:
        yield
    except OSError as error:
        advice = hint or _HINTS.get(error.errno or 0)
        raise family(f"cannot {doing} {path}: {error.strerror or error}", at=Location(str(path)), hint=advice) from error


def write_atomic(path: Path, content: bytes, durable: bool = True, mode: int | None = None, beside: Path | None = None) -> None:
    """Replace `path` by `content`, whole or not at all; with `durable` also across a power cut. Raises StoreError.

    The temporary file lies in the same folder, or in `beside` (same file system, made and removed again where needed) for a
    folder whose listing is evidence. Permission bits: `mode`, else those of the file replaced, else what the umask
    leaves; the owner can always read and write. A symbolic link is replaced, never written through.
    """
    from selftune_build.store.temporary import temporary_file  # only who writes needs it

    with store_errors("write", path):
        try:
            bits = _permission_bits(path) if mode is None else mode
            with temporary_file(beside or path.parent, path.name, shared=beside is not None) as (temporary, descriptor):
                _fill(descriptor, content, durable, bits)
                os.rename(temporary, path)
        finally:
            if beside is not None:
                with suppress(OSError):
                    beside.rmdir()
        if durable:
            sync_folder(path.parent)


def write_new(path: Path, content: bytes) -> bool:
    """Write a file that is not there yet, whole and durable; False where something stands there, and nothing is changed then.
    Raises StoreError."""
    from selftune_build.store.temporary import temporary_file

    with store_errors("write", path), temporary_file(path.parent, path.name) as (temporary, descriptor):
        _fill(descriptor, content, True, None)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except PermissionError:  # some file systems know no hard links
            if os.path.lexists(path):
                return False
            os.rename(temporary, path)
        sync_folder(path.parent)
    return True


def append(path: Path, content: bytes, limit: int) -> None:
    """Add to the end of a file that others write to as well, unless it would grow beyond `limit` bytes. Raises StoreError."""
    with store_errors("write", path):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            if os.fstat(descriptor).st_size + len(content) <= limit:
                write_all(descriptor, content)
        finally:
            os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it where they are missing, their names durable. Raises OSError."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        sync_folder(each.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut; a file system that cannot sync folders does it by itself."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """Write every byte: one `write` may stop early. Raises OSError."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _fill(descriptor: int, content: bytes, durable: bool, bits: int | None) -> None:
    bits = stat.S_IMODE(os.fstat(descriptor).st_mode) if bits is None else bits
    os.fchmod(descriptor, bits | stat.S_IRUSR | stat.S_IWUSR)
    write_all(descriptor, content)
    if durable:
        os.fsync(descriptor)
    os.close(os.dup(descriptor))  # a network file system may tell only on closing what it could not write


def _permission_bits(path: Path) -> int | None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return stat.S_IMODE(found.st_mode) if stat.S_ISREG(found.st_mode) else None
