"""Put one folder in the place of another in a single step (`renameat2` with RENAME_EXCHANGE, Linux 3.15)."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_NOT_HERE = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM)
"""What a kernel or file system answers that has no such step."""


def exchange(fresh: Path, place: Path) -> None:
    """`fresh` takes the place, and what stood there is found at `fresh`. Raises OSError.

    Where the system cannot do it at once the old folder is moved aside first; in between the place is empty.
    """
    if not os.path.lexists(place):
        os.rename(fresh, place)
    elif not _at_once(fresh, place):
        aside = fresh.with_name(f"old-{place.name}")
        os.rename(place, aside)
        os.rename(fresh, place)
        os.rename(aside, fresh)


def _at_once(one: Path, other: Path) -> bool:
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    if call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NOT_HERE:
        return False
    raise OSError(number, os.strerror(number), str(other))
