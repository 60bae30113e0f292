"""A file of a package once more, as it was when the package was read."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from selftune_build.errors import InputError, refuse_machine
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.model.location import Location
from selftune_build.model.package import TreeFile


def read_file(root: Path | str, file: TreeFile, overlay: Mapping[str, bytes]) -> bytes:
    """The bytes of a file of the package at `root`: those that an overlay has for its path, else those on disk.

    Raises InputError where they are there no more.
    """
    laid = overlay.get(file.path)
    return read_unchanged(Path(root) / file.path, file) if laid is None else laid


def read_unchanged(path: Path, file: TreeFile) -> bytes:
    """The bytes that were fingerprinted: read once, never blocking on what took the file's place.

    Raises InputError where they are there no more.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as opened:
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            content = opened.read(file.size + 1) if regular else None
    except OSError as error:
        refuse_machine(error, path)
        content = None
    if content is None or digest_bytes(content) != file.digest:
        raise InputError(f"{path} changed while it was being built", at=Location(str(path)), hint="run again")
    return content
