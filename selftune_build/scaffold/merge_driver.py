"""What git needs to merge locks row by row: a line in `.gitattributes`, and a section in the configuration of the clone.

Both are text that is added to; git is not run. The section names the program as it is typed, so it holds in every checkout.
"""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from selftune_build.errors import StoreError, UsageError
from selftune_build.limits import ATTRIBUTES_BYTES
from selftune_build.model.package import LOCK_FILE
from selftune_build.revision.repository import Repository, find_repository, settings_of
from selftune_build.store.atomic import store_errors, write_atomic

DRIVER = "selftune lock merge %O %A %B"
_ATTRIBUTE = f"{LOCK_FILE} merge=selftune\n"
_SECTION = f'[merge "selftune"]\n\tname = {LOCK_FILE}, row by row\n\tdriver = {DRIVER}\n'
_SETTING = "merge.selftune.driver"


class Installed(Struct, frozen=True):
    """Absolute paths of the files that were added to; none where everything was there."""

    written: tuple[str, ...]


def install_driver(folder: Path) -> Installed:
    """Add what is missing to the repository around a folder.

    Raises UndecidedError where there is no repository, UsageError where another driver of that name is set up or git is
    writing its configuration, StoreError where a file cannot be written.
    """
    repository = find_repository(folder)
    config = Path(repository.common, "config")
    there = settings_of(repository.common).get(_SETTING)
    if there not in (None, DRIVER):
        raise UsageError(f"{config} has another driver of the name `selftune`", hint="remove its section and run this again")
    written = [*_append(repository.root / ".gitattributes", _ATTRIBUTE), *([] if there else _configure(config, repository))]
    return Installed(tuple(written))


def _configure(config: Path, repository: Repository) -> list[str]:
    if os.path.lexists(f"{config}.lock"):
        raise UsageError(f"{config} is being written by git", hint="run this again when git is done")
    return _append(config, _SECTION)


def _append(path: Path, text: str) -> list[str]:
    """Add text to the end of a file unless it is there. A link is refused: it may lead anywhere."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise UsageError(f"{path} is no regular file", hint="replace it with a regular file")
    try:
        with store_errors("read", path), path.open("rb") as stream:
            before = stream.read(ATTRIBUTES_BYTES + 1)
    except StoreError:
        if path.exists():
            raise
        before = b""
    if len(before) > ATTRIBUTES_BYTES:
        raise UsageError(f"{path} is larger than {ATTRIBUTES_BYTES} bytes", hint="write into it by hand: " + text.strip())
    if text.encode() in before:
        return []
    write_atomic(path, before + (b"" if not before or before.endswith(b"\n") else b"\n") + text.encode())
    return [str(path)]
