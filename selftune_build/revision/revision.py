"""A commit of the repository around a folder, read like a folder; and how the working tree differs from it."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from msgspec import Struct

from selftune_build.errors import UndecidedError
from selftune_build.limits import GIT_ENTRIES, GIT_OBJECT_BYTES, TREE_FILE_BYTES_MAX
from selftune_build.revision.history import common_ancestor
from selftune_build.revision.names import deepen, resolve
from selftune_build.revision.objects import Objects, parsing
from selftune_build.revision.plain import read_plain, unusable
from selftune_build.revision.repository import Repository, find_repository

if TYPE_CHECKING:
    from dulwich.objects import Tree

_FOLDER, _LINK, _MODULE = 0o040000, 0o120000, 0o160000
_EXECUTABLE = 0o111


class Entry(Struct, frozen=True):
    """What stands under a path of a commit."""

    mode: int
    name: str
    """Name of the object."""


class Revision:
    """One commit. Paths are relative to `folder`, which may lie anywhere in the worktree, and have `/` between their parts."""

    def __init__(self, repository: Repository, objects: Objects, commit: str, folder: Path) -> None:
        self.repository = repository
        self.commit = commit
        self.folder = Path(os.path.realpath(folder))
        self._objects = objects
        self._prefix = self.folder.relative_to(repository.root).as_posix()
        self._entries: dict[str, dict[str, Entry]] = {}

    def since(self, other: str = "HEAD") -> Revision:
        """The commit in which this one and `other` parted: what `other` changed is what changed since then."""
        commit = common_ancestor(self.repository, self._objects, self.commit, resolve(self.repository, self._objects, other))
        return Revision(self.repository, self._objects, commit, self.folder)

    def read(self, path: str, limit: int = GIT_OBJECT_BYTES) -> bytes | None:
        """The bytes of a regular file, at most `limit + 1` of them; None where there is none. Links are not followed."""
        entry = self._entry(self._inside(path))
        if entry is None or entry.mode in (_FOLDER, _LINK, _MODULE):
            return None
        return self._blob(entry.name)[: limit + 1]

    def has(self, path: str) -> bool:
        """Whether something stands under a path."""
        return self._entry(self._inside(path)) is not None

    def folders(self, folder: str = ".") -> list[str]:
        """Names of the folders in a folder, sorted."""
        entry = self._entry(self._inside(folder))
        inside = self._listing(entry.name) if entry is not None and entry.mode == _FOLDER else {}
        return sorted(name for name, each in inside.items() if each.mode == _FOLDER)

    def files(self, folder: str = ".") -> list[str]:
        """Paths of everything below a folder that is no folder, sorted. A folder that is not there has nothing in it."""
        start = self._inside(folder)
        found = (path for path in self._below(start))
        return sorted(path if start == "." else _join(folder, path[len(start) + 1 :]) for path in found)

    def changed(self, paths: Iterable[str]) -> list[str]:
        """Which of these paths the working tree has otherwise than the commit: bytes, link or executable bit."""
        return [path for path in paths if self._differs(path)]

    @cached_property
    def _root(self) -> str:
        from dulwich.objects import Commit

        found = self._objects.read(self.commit)
        if not isinstance(found, Commit):
            raise self._missing()
        with parsing(f"the commit {self.commit[:12]}"):
            name: bytes = found.tree
        return name.decode("ascii", "replace")

    def _inside(self, path: str) -> str:
        """A path of the commit, from its root."""
        return _join(self._prefix, path)

    def _entry(self, path: str) -> Entry | None:
        entry: Entry | None = Entry(_FOLDER, self._root)
        for part in PurePosixPath(path).parts:
            if entry is None or entry.mode != _FOLDER:
                return None
            entry = self._listing(entry.name).get(part)
        return entry

    def _listing(self, tree: str) -> dict[str, Entry]:
        if tree not in self._entries:
            if sum(map(len, self._entries.values())) > GIT_ENTRIES:
                raise unusable(f"more than {GIT_ENTRIES} files and folders in one commit", "name a folder below")
            self._entries[tree] = dict(_parsed(self._tree(tree)))
        return self._entries[tree]

    def _tree(self, name: str) -> Tree:
        from dulwich.objects import Tree

        found = self._objects.read(name)
        if not isinstance(found, Tree):
            raise self._missing()
        return found

    def _below(self, folder: str) -> Iterator[str]:
        top = self._entry(folder)
        pending = [(folder, top.name)] if top is not None and top.mode == _FOLDER else []
        told = 0
        while pending:
            place, tree = pending.pop()
            for name, entry in self._listing(tree).items():
                told += 1
                if told > GIT_ENTRIES:
                    raise unusable(f"more than {GIT_ENTRIES} files and folders in one commit", "name a folder below")
                if entry.mode == _FOLDER:
                    pending.append((_join(place, name), entry.name))
                else:
                    yield _join(place, name)

    def _blob(self, name: str) -> bytes:
        from dulwich.objects import Blob

        found = self._objects.read(name)
        if not isinstance(found, Blob):
            raise self._missing()
        return found.data

    def _differs(self, path: str) -> bool:
        entry = self._entry(self._inside(path))
        now = _on_disk(self.folder / path, self.repository.object_format)
        if entry is None or now is None:
            return (entry is None) != (now is None)
        return (now.name, stat.S_IFMT(now.mode), now.mode & _EXECUTABLE) != (
            entry.name,
            stat.S_IFMT(entry.mode),
            entry.mode & _EXECUTABLE,
        )

    def _missing(self) -> UndecidedError:
        message = f"a part of the commit {self.commit[:12]} is not in this clone"
        return UndecidedError(message, hint=deepen(self.repository), code="history-missing")


def open_revision(folder: Path, revision: str) -> Revision:
    """A commit of the repository around a folder. Raises UsageError and UndecidedError as `names.resolve`."""
    repository = find_repository(folder)
    objects = Objects(repository)
    return Revision(repository, objects, resolve(repository, objects, revision), folder)


def read_at(folder: Path, revision: str, path: str, limit: int = GIT_OBJECT_BYTES) -> bytes | None:
    """The bytes of one regular file below a folder as a commit has it, None where it has none."""
    return open_revision(folder, revision).read(path, limit)


def list_at(folder: Path, revision: str, below: str = ".") -> list[str]:
    """Paths of the files below a folder as a commit has them."""
    return open_revision(folder, revision).files(below)


def merge_base(folder: Path, one: str, other: str = "HEAD") -> str:
    """The name of the commit in which two revisions parted. Raises UndecidedError where this clone cannot tell."""
    return open_revision(folder, one).since(other).commit


def _join(folder: str, name: str) -> str:
    return name if folder == "." else folder if name == "." else f"{folder}/{name}"


def _parsed(tree: Tree) -> Iterator[tuple[str, Entry]]:
    with parsing("a folder of the commit"):
        for item in tree.iteritems():
            yield os.fsdecode(item.path or b""), Entry(item.mode or 0, (item.sha or b"").decode("ascii", "replace"))


def _on_disk(path: Path, object_format: str) -> Entry | None:
    """Mode and object name of what stands on the disk, as git would have it without filters; None for nothing or a folder."""
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            content = os.fsencode(os.readlink(path))
        elif stat.S_ISREG(status.st_mode):
            content = read_plain(str(path), TREE_FILE_BYTES_MAX) or b""
        else:
            return None
    except (OSError, ValueError):
        return None
    executable = status.st_mode & stat.S_IXUSR and stat.S_ISREG(status.st_mode)
    mode = stat.S_IFMT(status.st_mode) | (0o755 if executable else 0o644 if stat.S_ISREG(status.st_mode) else 0)
    return Entry(mode, hashlib.new(object_format, b"blob %d\0%s" % (len(content), content)).hexdigest())
