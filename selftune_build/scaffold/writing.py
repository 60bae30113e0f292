"""Several files written together: all of them or none, and never over something that was not offered."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from selftune_build.errors import StoreError, UsageError
from selftune_build.limits import SHOWN_PATHS
from selftune_build.model.location import Location
from selftune_build.store.atomic import store_errors, write_atomic
from selftune_build.store.worktree import STORE_FOLDER
from selftune_build.wording import listed


class Written(Struct, frozen=True):
    """Which paths were made and which were replaced, both sorted and relative to the folder."""

    made: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()


def write_together(root: Path, contents: Mapping[str, bytes], *, force: bool, extended: Collection[str] = ()) -> Written:
    """Write `contents` (relative path → bytes) below `root`, which is made where it is missing.

    Paths in `extended` hold what was there before and more, so they may exist. Raises UsageError, with nothing written, where
    another path exists and `force` is not given, and where a path leads through a symbolic link or a file. Raises StoreError
    where writing fails; what was there before is then back.
    """
    _refuse_detours(root, contents)
    refuse_existing(root, (path for path in contents if path not in extended), force=force)
    there = sorted(path for path in contents if os.path.lexists(root / path))
    folders = _missing_folders(root, contents)
    with store_errors("read", root):
        before = {path: (root / path).read_bytes() for path in there}
    try:
        _write(root, contents, folders)
    except BaseException:
        _restore(root, contents, before, folders)
        raise
    return Written(made=tuple(sorted(contents.keys() - before.keys())), replaced=tuple(there))


def refuse_existing(root: Path, paths: Iterable[str], *, force: bool) -> None:
    """Nothing where these may be written; to be asked before anything is paid for. Raises UsageError where one is there."""
    in_the_way = sorted(path for path in paths if os.path.lexists(root / path))
    if in_the_way and not force:
        raise UsageError(_exists(root, in_the_way), hint="--force replaces exactly these files and leaves everything else alone")


def _write(root: Path, contents: Mapping[str, bytes], folders: list[Path]) -> None:
    with store_errors("write", root, "choose a folder that you may write to with -C, and see that the disk is not full"):
        for folder in folders:
            folder.mkdir()
    try:
        for path in sorted(contents):
            _replace(root / path, contents[path])
    except StoreError as error:  # its advice is about the store, this is a folder of the user
        hint = "nothing was written; make the folder writable or free some space"
        raise StoreError(error.message, at=error.at, hint=hint) from error


def _replace(path: Path, content: bytes) -> None:
    """A kill must not leave a file in a package: its listing is evidence."""
    write_atomic(path, content, beside=path.parent / STORE_FOLDER)


def _restore(root: Path, contents: Mapping[str, bytes], before: Mapping[str, bytes], folders: list[Path]) -> None:
    for path in contents:
        with suppress(OSError, StoreError):
            if path in before:
                _replace(root / path, before[path])
            else:
                (root / path).unlink(missing_ok=True)
    for folder in reversed(folders):
        with suppress(OSError):
            folder.rmdir()


def _missing_folders(root: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Every folder that has to be made, parents first."""
    wanted = {parent for path in contents for parent in (root / path).parents}
    return sorted((folder for folder in wanted if not folder.exists()), key=lambda folder: len(folder.parts))


def _refuse_detours(root: Path, contents: Mapping[str, bytes]) -> None:
    if os.path.lexists(root) and not root.is_dir():
        raise UsageError(f"{root} is not a folder", at=Location(str(root)))
    inside = {place for path in contents for place in (root / path, *(root / path).parents) if root in place.parents}
    for place in sorted(inside):
        expected = str(place.relative_to(root)) in contents
        if place.is_symlink() or (place.exists() and place.is_dir() is expected):
            what = "a symbolic link" if place.is_symlink() else "a folder" if expected else "a file"
            raise UsageError(f"{place} is {what}", at=Location(str(place)), hint="move it away; nothing was written")


def _exists(root: Path, there: list[str]) -> str:
    shown = listed(there, SHOWN_PATHS)
    return f"{root} holds already: {shown}; nothing was written"
