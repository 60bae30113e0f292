"""Where the store is: one for all worktrees of a repository, found by reading files, never by running git."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from selftune_build.errors import StoreError
from selftune_build.model.location import Location
from selftune_build.probe import probed
from selftune_build.store.atomic import make_folder, store_errors, write_atomic
from selftune_build.store.worktree import STORE_FOLDER, STORE_VARIABLE, main_worktree

MARKS = {
    ".gitignore": b"*\n",
    # https://bford.info/cachedir/ asks for exactly this first line.
    "CACHEDIR.TAG": b"Signature: 8a477f597d28d172789f06886806bc55\n# Samples of selftune-build: paid for, so keep them.\n",
}


def find_store(workspace_root: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """Where the store of a workspace is or would be; reads only."""
    named = environment.get(STORE_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    root = os.path.realpath(workspace_root)
    return Path(main_worktree(root) or root, STORE_FOLDER)


def existing_store(workspace_root: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """As `find_store`, for whoever looks into the store or cleans it up; it may be missing. Raises StoreError for a link."""
    folder = find_store(workspace_root, environment)
    if not environment.get(STORE_VARIABLE):
        _refuse_link(folder)
    return folder


def open_store(workspace_root: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """The store's folder, made where it is missing, with the marks that keep it out of git and of backups. Raises StoreError."""
    folder = find_store(workspace_root, environment)
    for path in (folder, *(folder / name for name in MARKS)):
        probed(path)
    if not environment.get(STORE_VARIABLE):
        _refuse_link(folder)
    with store_errors("create the store", folder):
        make_folder(folder)
        missing = [name for name in MARKS if not (folder / name).exists()]
    for name in missing:
        write_atomic(folder / name, MARKS[name])
    return folder


def _refuse_link(folder: Path) -> None:
    if folder.is_symlink():
        hint = f"a checkout must not choose the store: name the folder in ${STORE_VARIABLE}"
        raise StoreError(f"{folder} is a symbolic link", at=Location(str(folder)), hint=hint)
