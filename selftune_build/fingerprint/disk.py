"""The files of a workspace as they are read: those on disk, or these with an overlay laid over them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from msgspec import Struct, field

_FOLDER = stat.S_IFDIR | 0o755


class Laid(Struct, frozen=True):
    """A file of an overlay: its bytes, and whether it can be executed."""

    content: bytes
    executable: bool = False

    @property
    def mode(self) -> int:
        """Its mode, as far as it is part of a tree."""
        return stat.S_IFREG | (0o755 if self.executable else 0o644)


class Entry(Struct, frozen=True):
    """What an overlay puts into a folder; as much of `os.DirEntry` as a scan asks for."""

    name: str
    path: str
    mode: int
    size: int = 0

    def is_symlink(self) -> bool:
        """Never: an overlay holds files alone."""
        return False

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a folder on the way to a file."""
        return stat.S_ISDIR(self.mode)

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Kind, executable bit and size; the rest is nothing."""
        return _status(self.mode, self.size)


AnyEntry = os.DirEntry[str] | Entry


class Disk(Struct, frozen=True):
    """What lies on disk, with `files` over it: by absolute real path, None for one that is gone."""

    files: Mapping[str, Laid | None] = field(default_factory=dict)

    def listing(self, folder: str) -> AbstractContextManager[Iterable[AnyEntry]]:
        """What a folder holds, named by its real path. Raises OSError where there is none."""
        return os.scandir(folder) if not self.files else self._laid_over(folder)

    def followed(self, link: str) -> tuple[str, os.stat_result]:
        """Where a link leads and what is there. Raises OSError where that is nothing."""
        if not self.files:
            real = os.path.realpath(link, strict=True)
            return real, os.stat(real)
        real = os.path.realpath(link)
        laid = self.files.get(real)
        if laid is not None:
            return real, _status(laid.mode, len(laid.content))
        if real in self.files or self._is_emptied(real):
            raise _absent(real)
        if self._is_way(real) and not os.path.isdir(real):
            return real, _status(_FOLDER, 0)
        return os.path.realpath(link, strict=True), os.stat(real)

    def laid(self, path: str | os.PathLike[str]) -> Laid | None:
        """The file that lies over a path, whatever links lead there. Raises FileNotFoundError where it was taken away."""
        if not self.files:
            return None
        real = os.path.realpath(path)
        found = self.files.get(real)
        if found is None and real in self.files:
            raise _absent(str(path))
        return found

    def contents(self, root: Path, paths: Iterable[str]) -> dict[str, bytes]:
        """Path → bytes, of those paths below `root` over which something lies."""
        if not self.files:
            return {}
        found = ((path, self.laid(root / path)) for path in paths)
        return {path: laid.content for path, laid in found if laid is not None}

    @contextmanager
    def _laid_over(self, folder: str) -> Iterator[Iterable[AnyEntry]]:
        if not os.path.isdir(folder) and self._is_way(folder):
            yield self._added(folder, frozenset())
            return
        with os.scandir(folder) as found:
            entries = list(found)
        kept = [entry for entry in entries if entry.path not in self.files]
        yield [*kept, *self._added(folder, frozenset(entry.name for entry in kept))]

    def _added(self, folder: str, there: frozenset[str]) -> list[Entry]:
        """What the overlay has in a folder: files, and folders that are not there without it."""
        start = folder.rstrip("/") + "/"
        found: dict[str, Entry] = {}
        for path, laid in self.files.items():
            if laid is None or not path.startswith(start):
                continue
            name, way, _ = path[len(start) :].partition("/")
            mode = _FOLDER if way else laid.mode
            if name not in there:
                found[name] = Entry(name, start + name, mode, 0 if way else len(laid.content))
        return list(found.values())

    def _is_way(self, folder: str) -> bool:
        start = folder.rstrip("/") + "/"
        return any(laid is not None and path.startswith(start) for path, laid in self.files.items())

    def _is_emptied(self, folder: str) -> bool:
        """Whether every file of a folder was taken away: git then removes the folder, too."""
        start = folder.rstrip("/") + "/"
        if self._is_way(folder) or not any(path.startswith(start) for path in self.files):
            return False
        return all(os.path.join(below, name) in self.files for below, _, names in os.walk(folder) for name in names)


def _absent(path: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)


def _status(mode: int, size: int) -> os.stat_result:
    return os.stat_result((mode, 0, 0, 0, 0, 0, size, 0, 0, 0))


DISK = Disk()
"""Nothing lies over it."""
