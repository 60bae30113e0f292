"""A model of a disk that loses power: which files and names are left of a run, had it been cut short after so many changes.

A *change* is what the kernel was asked to do (`server.py`, with `trace`). What was asked for is at first only in memory. It
reaches the disk when it is synced: the content of a file by fsync or fdatasync of that file, the names in a folder by fsync of
that folder. What was never synced may be there or not; `Left` says which of it is.

The model holds files, folders and names. It has no permissions, owners or times, tears nothing smaller than a byte, and takes a
rename, also an exchange, as one step.
"""

from __future__ import annotations

import base64
import os
import random
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

_EXCHANGE = 2
_Folder = dict[str, "_File | _Names"]


class Left(StrEnum):
    """What is left of changes that nobody synced."""

    NOTHING = "nothing"
    """The letter of POSIX: no content and no name that was not synced, each file and folder by itself."""
    EMPTY = "empty"
    """All names, and none of the content: files of no length, as where blocks are allocated late (ext4)."""
    ZEROS = "zeros"
    """All names and lengths, the content zeros (XFS)."""
    SOME = "some"
    """A journal: names up to a moment after the last sync of anything; of each file's content a part from the start."""
    ALL = "all"
    """Nothing is lost: what a kill leaves."""


class _File:
    """A file: what is in it, and what of that is on the disk."""

    def __init__(self, content: bytes = b"") -> None:
        self.content, self.synced = bytearray(content), bytes(content)

    def write(self, content: bytes, offset: int) -> None:
        self.content.extend(bytes(max(0, offset - len(self.content))))
        self.content[offset : offset + len(content)] = content

    def after(self, left: Left, chance: random.Random) -> bytes:
        """The content after the cut."""
        if left is Left.ALL or bytes(self.content) == self.synced:
            return bytes(self.content)
        if left in (Left.NOTHING, Left.EMPTY):
            return self.synced
        if left is Left.ZEROS:
            return bytes(self.content[: self._unchanged]) + bytes(len(self.content) - self._unchanged)
        return bytes(self.content[: chance.randint(self._unchanged, len(self.content))])

    @property
    def _unchanged(self) -> int:
        """How many bytes from the start are on the disk as they are in memory."""
        pairs = enumerate(zip(self.synced, self.content, strict=False))
        return next((at for at, (one, other) in pairs if one != other), min(len(self.synced), len(self.content)))


class _Names:
    """A folder: its names, and which of them are on the disk."""

    def __init__(self) -> None:
        self.names: _Folder = {}
        self.synced: _Folder = {}


class Disk:
    """A folder on a disk, as it was before a run, and then change by change."""

    def __init__(self, folder: Path) -> None:
        """Everything in `folder` is on the disk."""
        self._at = str(folder)
        self._root = _read(folder)
        self._journal: list[list[tuple[_Names, _Folder]]] = []
        """Of each change of names since the last sync, the folders with the names that they had before."""

    def do(self, step: Mapping[str, Any]) -> None:
        """One change, if it succeeds: what fails changes nothing."""
        name, paths = step["name"], [self._inside(path) for path in step["paths"]]
        if name in ("rename", "renameat", "renameat2", "link", "linkat"):
            self._move(name, *paths, step.get("flags", 0))
        elif (path := paths[0]) is None:
            return
        elif name in ("open", "openat", "creat"):
            self._open(path, step.get("flags", os.O_CREAT | os.O_TRUNC))
        elif name in ("write", "pwrite64", "writev"):
            self._file(path, lambda file: file.write(base64.b64decode(step["content"]), step["offset"]))
        elif name in ("ftruncate", "truncate"):
            self._file(path, lambda file: file.content.__delitem__(slice(step["size"], None)))
        elif name in ("fsync", "fdatasync"):
            self._sync(path)
        elif name in ("mkdir", "mkdirat"):
            self._name(path, lambda: _Names())
        elif name in ("unlink", "unlinkat", "rmdir"):
            self._forget(path)

    def cut(self, target: Path, left: Left, seed: int) -> None:
        """Make in `target` what is found when the power is back."""
        chance = random.Random(seed)
        names = self._remembered(chance) if left is Left.SOME else {}
        _write(self._root, target, left, chance, names)

    def _remembered(self, chance: random.Random) -> dict[int, _Folder]:
        """Which names a journal holds that ends at some moment since the last sync: by folder, where it is not all of them."""
        last = chance.randint(0, len(self._journal))
        found: dict[int, _Folder] = {}
        for folder, before in (pair for change in self._journal[last:] for pair in change):
            found.setdefault(id(folder), before)
        return found

    def content(self, path: Path) -> bytes:
        """What a program read from a file before the cut; nothing where there was none."""
        found = self._find(self._inside(str(path)) or [])
        return bytes(found.content) if isinstance(found, _File) else b""

    def _inside(self, path: str) -> list[str] | None:
        if path == self._at:
            return []
        return path.removeprefix(self._at + "/").split("/") if path.startswith(self._at + "/") else None

    def _above(self, path: list[str]) -> _Names | None:
        folder: Any = self._root
        for part in path[:-1]:
            folder = folder.names.get(part) if isinstance(folder, _Names) else None
        return folder if isinstance(folder, _Names) else None

    def _find(self, path: list[str]) -> _File | _Names | None:
        above = self._above(path)
        return self._root if not path else above.names.get(path[-1]) if above is not None else None

    def _changing(self, *folders: _Names) -> _Folder:
        self._journal.append([(folder, dict(folder.names)) for folder in folders])
        return folders[0].names

    def _open(self, path: list[str], flags: int) -> None:
        found = self._find(path)
        if found is None and flags & os.O_CREAT:
            self._name(path, lambda: _File())
        elif isinstance(found, _File) and flags & os.O_TRUNC and not flags & os.O_EXCL:
            found.content.clear()

    def _file(self, path: list[str], change: Any) -> None:
        found = self._find(path)
        if isinstance(found, _File):
            change(found)

    def _name(self, path: list[str], make: Any) -> None:
        above = self._above(path)
        if path and above is not None and path[-1] not in above.names:
            self._changing(above)[path[-1]] = make()

    def _forget(self, path: list[str]) -> None:
        above, found = self._above(path), self._find(path)
        if above is not None and found is not None and not (isinstance(found, _Names) and found.names):
            del self._changing(above)[path[-1]]

    def _sync(self, path: list[str]) -> None:
        found = self._find(path)
        if isinstance(found, _File):
            found.synced = bytes(found.content)
        elif found is not None:
            found.synced = dict(found.names)
        self._journal.clear()  # committing one thing commits the journal up to here

    def _move(self, name: str, source: list[str] | None, target: list[str] | None, flags: int) -> None:
        moved = self._find(source) if source else None
        into, out_of = (self._above(path) if path else None for path in (target, source))
        if moved is None or into is None or out_of is None or not source or not target:
            return
        there = into.names.get(target[-1])
        if name.startswith("link"):
            if there is None:
                self._changing(into)[target[-1]] = moved
        elif there is not moved and not (isinstance(there, _Names) and there.names and not flags & _EXCHANGE):
            self._changing(out_of, into)
            del out_of.names[source[-1]]
            into.names[target[-1]] = moved
            if flags & _EXCHANGE and there is not None:
                out_of.names[source[-1]] = there


def _read(folder: Path) -> _Names:
    read = _Names()
    for path in folder.iterdir():
        read.names[path.name] = _read(path) if path.is_dir() else _File(path.read_bytes())
    read.synced = dict(read.names)
    return read


def _write(folder: _Names, target: Path, left: Left, chance: random.Random, names: Mapping[int, _Folder]) -> None:
    target.mkdir()
    found = folder.synced if left is Left.NOTHING else names.get(id(folder), folder.names)
    for name, each in sorted(found.items()):
        if isinstance(each, _Names):
            _write(each, target / name, left, chance, names)
        else:
            (target / name).write_bytes(each.after(left, chance))
