"""Files of a store that somebody else may have written: regular ones, of an expected size, links not followed."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TypeVar

from selftune_build.limits import STORE_ARCHIVE_MAX_BYTES
from selftune_build.store.archive import Archive, Attempt, DamagedRecord, decode

_Record = TypeVar("_Record", Archive, Attempt)


def read_regular(path: Path | str, limit: int) -> bytes:
    """At most `limit + 1` bytes of a regular file: more than `limit` means that it is too large. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        return stream.read(limit + 1)


def read_bounded(path: Path | str, limit: int) -> bytes | None:
    """The bytes of a regular file; None where there is none, it cannot be read, or it is larger than `limit`."""
    try:
        content = read_regular(path, limit)
    except OSError:
        return None
    return content if len(content) <= limit else None


def read_packed(path: Path | str, kind: type[_Record]) -> _Record:
    """The record in an archive file. Raises OSError, DamagedRecord and NewerRecord."""
    content = read_regular(path, STORE_ARCHIVE_MAX_BYTES)
    if len(content) > STORE_ARCHIVE_MAX_BYTES:
        raise DamagedRecord(f"is larger than {STORE_ARCHIVE_MAX_BYTES} bytes")
    return decode(content, kind)
