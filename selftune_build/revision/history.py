"""Where two lines of history parted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from selftune_build.errors import UndecidedError
from selftune_build.limits import GIT_COMMITS, GIT_CONFIG_BYTES
from selftune_build.revision.names import deepen
from selftune_build.revision.objects import Objects, parsing
from selftune_build.revision.plain import read_plain
from selftune_build.revision.repository import Repository

if TYPE_CHECKING:
    from dulwich.objects import Commit, ObjectID
    from dulwich.repo import BaseRepo


def common_ancestor(repository: Repository, objects: Objects, one: str, other: str) -> str:
    """The best common ancestor of two commits; of several the one whose name comes first.

    Raises UndecidedError, with the command that fetches it, where the history that would tell is not in this clone.
    """
    from dulwich.graph import find_merge_base
    from dulwich.objects import ObjectID

    history = _History(objects, _cut(repository))
    with parsing("its history"):
        try:
            found = find_merge_base(cast("BaseRepo", history), [ObjectID(one.encode()), ObjectID(other.encode())])
        except KeyError:  # a commit that this clone left out
            found = []
    if found:
        return min(name.decode() for name in found)
    message = f"{one[:12]} and {other[:12]} have no commit in common in this clone"
    raise UndecidedError(message, hint=deepen(repository), code="history-missing")


def _cut(repository: Repository) -> set[ObjectID]:
    """Commits whose parents a shallow clone left out."""
    from dulwich.objects import ObjectID

    content = read_plain(os.path.join(repository.common, "shallow"), GIT_CONFIG_BYTES) or b""
    return {ObjectID(line.strip()) for line in content.splitlines()}


class _History:
    """What the search for a common ancestor asks a repository for; stops at a number of commits."""

    def __init__(self, objects: Objects, shallows: set[ObjectID]) -> None:
        self.shallows = shallows
        self.object_store = self
        self._objects = objects
        self._seen = 0

    def parents_provider(self) -> _History:
        return self

    def get_parents(self, name: ObjectID, commit: Commit | None = None) -> list[ObjectID]:
        return [] if name in self.shallows else (commit or self[name]).parents

    def __getitem__(self, name: ObjectID) -> Commit:
        from dulwich.objects import Commit

        self._seen += 1
        if self._seen > GIT_COMMITS:
            raise UndecidedError(f"the two have no common commit among the last {GIT_COMMITS}", hint="name a nearer revision")
        found = self._objects.read(name.decode("ascii", "replace"))
        if not isinstance(found, Commit):
            raise KeyError(name)
        return found
