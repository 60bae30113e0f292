"""Files of a git folder: regular ones, of a size that is expected, and nothing that could make a reader wait."""

from __future__ import annotations

import os
import stat

from selftune_build.errors import UndecidedError

DAMAGED = "check the clone with `git fsck`, or make a fresh one"


def unusable(message: str, hint: str = DAMAGED) -> UndecidedError:
    """The error for a repository that cannot be read: nothing was decided, and nobody is to blame."""
    return UndecidedError(f"the git repository cannot be read: {message}", hint=hint, code="repository")


def is_regular(path: str, limit: int) -> bool:
    """Whether a regular file of at most `limit` bytes is there; False for none. Raises UndecidedError for anything else."""
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise unusable(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if not stat.S_ISREG(status.st_mode):
        raise unusable(f"{path} is no regular file")
    if status.st_size > limit:
        raise unusable(f"{path} is larger than {limit} bytes")
    return True


def read_plain(path: str, limit: int) -> bytes | None:
    """The bytes of a regular file, None where there is none. Raises UndecidedError."""
    if not is_regular(path, limit):
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            return stream.read(limit + 1)
    except OSError as error:
        raise unusable(f"{path}: {error.strerror}") from None
