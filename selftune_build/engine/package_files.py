"""The bytes of the files of a package: regular ones, none larger than a reader of them expects."""

from __future__ import annotations

from pathlib import Path

from selftune_build.engine.places import inside
from selftune_build.errors import InputError, refuse_machine
from selftune_build.fingerprint.disk import DISK, Disk
from selftune_build.fingerprint.regular import read_regular
from selftune_build.limits import EVAL_FILE_BYTES, SKILL_FILE_BYTES_MAX
from selftune_build.model.location import Location
from selftune_build.model.package import SKILL_FILE
from selftune_build.probe import probed
from selftune_build.reading.evals.suite import Read


def skill_text(root: Path, member: str, disk: Disk) -> bytes:
    """The bytes of SKILL.md. Raises InputError where they cannot be had, also where it went since the package was found."""
    shown = inside(member, SKILL_FILE)
    try:
        return _bounded(root / SKILL_FILE, SKILL_FILE_BYTES_MAX, shown, disk, "move long material to files under references/")
    except OSError as error:
        message = f"the file cannot be read: {error.strerror or error}"
        raise InputError(message, at=Location(shown), hint="make it readable, or move its folder away") from error


def reader(root: Path, disk: Disk = DISK) -> Read:
    """Reads files of a package by their path in it, none larger than an eval file may be."""
    return lambda path: _bounded(root / path, EVAL_FILE_BYTES, path, disk)


def _bounded(path: Path, limit: int, shown: str, disk: Disk, hint: str = "keep large files out of it") -> bytes:
    """The bytes of a regular file. Raises OSError where there is none, InputError where it is too large, StoreError where the
    machine refuses."""
    probed(path)
    laid = disk.laid(path)
    if laid is not None and len(laid.content) <= limit:
        return laid.content
    content = _whole(path, limit) if laid is None else None
    if content is not None:
        return content
    if laid is not None or (path.is_file() and path.stat().st_size > limit):
        raise InputError(f"the file is larger than {limit:,} bytes", at=Location(shown), hint=hint)
    if path.exists() and not path.is_file():
        raise InputError("it is not a regular file", at=Location(shown), hint="replace it with a regular file")
    try:
        with path.open("rb") as stream:
            return stream.read(limit)
    except OSError as error:
        refuse_machine(error, path)
        raise


def _whole(path: Path, limit: int) -> bytes | None:
    """The bytes of a regular file of at most `limit`; None where something is wrong with it."""
    try:
        content = read_regular(str(path), limit + 1)
    except OSError:
        return None
    return content if content is not None and len(content) <= limit else None
