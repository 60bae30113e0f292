"""Package folders of a file system: found by a bounded walk or by the globs of a workspace."""

from __future__ import annotations

import os
from pathlib import Path

from selftune_build.errors import InputError, refuse_machine
from selftune_build.limits import DISCOVERY_DEPTH, DISCOVERY_DIRECTORIES, MEMBER_DIRECTORIES
from selftune_build.model.location import Location
from selftune_build.model.package import SKILL_FILE
from selftune_build.probe import probed
from selftune_build.relpath import is_glob, match_segment

SKIPPED_FOLDERS = frozenset({".git", ".hg", ".jj", ".svn", ".selftune", ".tox", ".venv", "__pycache__", "node_modules", "venv"})
"""Where no package of the workspace is looked for; other hidden folders count, because hosts keep skills in them."""


def holds_skill(folder: Path) -> bool:
    """Whether a folder is a package: it holds a file SKILL.md."""
    path = os.path.join(folder, SKILL_FILE)
    probed(path)
    return os.path.isfile(path)


def discover(root: Path) -> tuple[str, ...]:
    """Packages below a folder, relative to it and sorted, at most six folders deep; no package inside a package.

    Links are not followed: what they lead to inside the folder is found there. Raises InputError where there are too many
    folders to look at.
    """
    found: list[str] = []
    budget = _Budget(DISCOVERY_DIRECTORIES, Location(".", None, None, None))
    level = ["."]
    for _ in range(DISCOVERY_DEPTH + 1):
        below: list[str] = []
        for folder in level:
            names, is_package = _look(root, folder, budget)
            if is_package:
                found.append(folder)
            else:
                below += [_joined(folder, name) for name in names]
        level = below
    return tuple(sorted(found))


def matching_folders(root: Path, pattern: str, at: Location) -> tuple[str, ...]:
    """Folders below `root` that fit a member glob, sorted; links and skipped folders do not. `at` is where the glob stands.

    Raises InputError where there are too many folders to look at.
    """
    budget = _Budget(MEMBER_DIRECTORIES, at)
    level = {"."}
    for segment in pattern.split("/"):
        if segment not in ("", "."):
            level = _step(root, level, segment, budget)
    return tuple(sorted(level))


def _step(root: Path, level: set[str], segment: str, budget: _Budget) -> set[str]:
    if segment == "**":
        return _all_below(root, level, budget)
    if not is_glob(segment):
        folders = {_joined(folder, segment) for folder in level}
        for folder in folders:
            probed(root / folder)
        return {folder for folder in folders if (root / folder).is_dir() and not (root / folder).is_symlink()}
    return {_joined(folder, name) for folder in level for name in _look(root, folder, budget)[0] if match_segment(segment, name)}


def _all_below(root: Path, level: set[str], budget: _Budget) -> set[str]:
    known = set(level)
    for _ in range(DISCOVERY_DEPTH):
        level = {_joined(folder, name) for folder in level for name in _look(root, folder, budget)[0]} - known
        known |= level
    return known


def _look(root: Path, folder: str, budget: _Budget) -> tuple[list[str], bool]:
    """The folders in a folder that are worth looking into, and whether it is a package. One that cannot be read is empty."""
    budget.take()
    names: list[str] = []
    is_package = False
    try:
        with os.scandir(root / folder) as entries:
            for entry in entries:
                if entry.name == SKILL_FILE and entry.is_file():
                    is_package = True
                elif entry.name not in SKIPPED_FOLDERS and entry.is_dir(follow_symlinks=False):
                    names.append(entry.name)
    except OSError as error:
        refuse_machine(error, root / folder)
        return [], False
    return names, is_package


def _joined(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"


class _Budget:
    """How many folders may still be looked at."""

    def __init__(self, most: int, at: Location) -> None:
        self._left, self._most, self._at = most, most, at

    def take(self) -> None:
        self._left -= 1
        if self._left < 0:
            hint = 'name the packages in a manifest: `workspace: {members: ["skills/*"]}`'
            raise InputError(f"more than {self._most:,} folders to look at", at=self._at, hint=hint, code="too-many-folders")
