"""Error families: each carries what happened, where, what to do, and the exit status it leads to."""

from __future__ import annotations

import errno
from os import PathLike
from typing import TYPE_CHECKING

from selftune_build.exits import BAD_INPUT, BUG, STORE, UNDECIDED

if TYPE_CHECKING:
    from selftune_build.model.location import Location

PLUGIN_MISSING = "plugin-missing"
PLUGIN_FAILED = "plugin-failed"
"""Codes of problems, and how the message of a gate or check begins that nobody supplies, or whose plugin broke."""

MACHINE_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE})
"""What the machine may refuse at any time; nothing a user could call a bug, and nothing that a file can be blamed for."""


class SelftuneError(Exception):
    """Something the user can act on; rendered by the one error renderer, never as a traceback."""

    code = "error"
    exit_status = BUG

    def __init__(self, message: str, *, at: Location | None = None, hint: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.hint = hint
        if code is not None:
            self.code = code


class UsageError(SelftuneError):
    """The command line asks for something that does not exist or does not fit together."""

    code = "usage"
    exit_status = BAD_INPUT


class InputError(SelftuneError):
    """A file of the user cannot be read the way its format promises."""

    code = "bad-input"
    exit_status = BAD_INPUT


class UndecidedError(SelftuneError):
    """No verdict was possible: an agent is missing, a budget is used up, evidence is missing."""

    code = "undecided"
    exit_status = UNDECIDED


class StoreError(SelftuneError):
    """The store, the lock file or a report could not be read or written."""

    code = "store"
    exit_status = STORE


def refuse_machine(error: OSError, path: str | PathLike[str]) -> None:
    """Raise StoreError where a file could not be used for a reason that says nothing about the file: whoever took that for a file
    that is missing or bad would decide by it."""
    from selftune_build.model.location import Location

    if error.errno in MACHINE_ERRORS:
        message = f"cannot use {path}: {error.strerror}"
        raise StoreError(message, at=Location(str(path)), hint="nothing was decided by it: mend that and run again") from error
