"""Files of one name in many commits: every folder that commits share is read once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from selftune_build.errors import UndecidedError
from selftune_build.limits import GIT_ENTRIES, GIT_REF_LINKS
from selftune_build.revision.names import deepen
from selftune_build.revision.objects import Objects, parsing
from selftune_build.revision.plain import unusable
from selftune_build.revision.repository import Repository, bare_repository, find_repository, is_bare
from selftune_build.revision.tips import tips, worktrees

if TYPE_CHECKING:
    from dulwich.objects import ShaFile

_FOLDER, _FILES = 0o040000, (0o100644, 0o100755, 0o100664)
_STASH = "refs/stash"


class NamedFiles:
    """The files called `name` behind everything that a repository points to. Raises UndecidedError where a part is not here."""

    def __init__(self, folder: Path, name: str) -> None:
        self.repository: Repository = bare_repository(folder) if is_bare(folder) else find_repository(folder)
        self._objects = Objects(self.repository)
        self._name = os.fsencode(name)
        self._seen: set[str] = set()
        self._entries = 0

    @property
    def worktrees(self) -> list[Path]:
        """The folders of all worktrees."""
        return worktrees(self.repository)

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """What points there, and the bytes; each content once."""
        for name, place in tips(self.repository).items():
            for tree in self._trees(name, stash=place == _STASH):
                for blob in self._below(tree):
                    if blob not in self._seen:
                        self._seen.add(blob)
                        yield place, self._read(blob).as_raw_string()

    def _trees(self, name: str, *, stash: bool) -> Iterator[str]:
        """The trees behind an object: through tags; of a stash also its index and its untracked files, which are parents."""
        from dulwich.objects import Commit, Tag, Tree

        found = self._read(name)
        for _ in range(GIT_REF_LINKS):
            if not isinstance(found, Tag):
                break
            name = found.object[1].decode("ascii", "replace")
            found = self._read(name)
        if isinstance(found, Tree):
            yield name
        elif isinstance(found, Commit):
            with parsing(f"the commit {name[:12]}"):
                yield found.tree.decode("ascii", "replace")
                parents = [each.decode("ascii", "replace") for each in found.parents[1:]] if stash else []
            for parent in parents:
                yield from self._trees(parent, stash=False)

    def _below(self, tree: str) -> Iterator[str]:
        from dulwich.objects import Tree

        pending = [tree]
        while pending:
            name = pending.pop()
            if name in self._seen:
                continue
            self._seen.add(name)
            found = self._read(name)
            if not isinstance(found, Tree):
                raise unusable(f"{name[:12]} is no folder")
            files, folders = self._told(found)
            pending += folders
            yield from files

    def _told(self, tree: ShaFile) -> tuple[list[str], list[str]]:
        files, folders = [], []
        with parsing("a folder of a commit"):
            for item in tree.iteritems():  # type: ignore[attr-defined]
                self._entries += 1
                name = item.sha.decode("ascii", "replace")
                if item.mode == _FOLDER:
                    folders.append(name)
                elif item.path == self._name and item.mode in _FILES:
                    files.append(name)
        if self._entries > GIT_ENTRIES * 10:
            raise unusable(f"more than {GIT_ENTRIES * 10} different files and folders")
        return files, folders

    def _read(self, name: str) -> ShaFile:
        found = self._objects.read(name)
        if found is None:
            message = f"the object {name[:12]} is not in this clone"
            raise UndecidedError(message, hint=deepen(self.repository), code="history-missing")
        return found
