"""Files that somebody names on the command line: keys and roots of trust. A pipe is as good as a file."""

from __future__ import annotations

from pathlib import Path

from selftune_build.errors import InputError, UsageError, refuse_machine
from selftune_build.model.location import Location


def read_named(path: Path, limit: int, what: str, hint: str) -> bytes:
    """Its bytes. Raises UsageError where it cannot be read, InputError where it has more than `limit`,
    StoreError where the machine refuses."""
    try:
        with path.open("rb") as stream:
            content = stream.read(limit + 1)
    except OSError as error:
        refuse_machine(error, path)
        raise UsageError(f"{what} {path} cannot be read: {error.strerror}", hint=hint) from None
    if len(content) > limit:
        raise InputError(f"the file is larger than {limit:,} bytes", at=Location(str(path)), hint=hint)
    return content
