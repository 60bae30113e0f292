"""A plain folder as a remote: a disk, a mount, a share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from selftune_build.errors import StoreError
from selftune_build.limits import REMOTE_NAMES
from selftune_build.sharing.remote import RemoteError, TooMuch
from selftune_build.store.atomic import write_new
from selftune_build.store.reading import read_regular


class Folder:
    """A remote below one folder; links in it are not followed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def reach(self) -> None:
        """As `Remote.reach`."""
        if not self._root.is_dir():
            raise RemoteError(f"there is no folder {self._root}")

    def folders(self, prefix: str) -> list[str]:
        """As `Remote.folders`."""
        with _told("list", self._root / prefix):
            self.reach()
            try:
                with os.scandir(self._root / prefix) as found:
                    return sorted(each.name for each in found if each.is_dir(follow_symlinks=False))
            except FileNotFoundError:
                return []

    def list(self, prefix: str) -> dict[str, int]:
        """As `Remote.list`."""
        found: dict[str, int] = {}
        with _told("list", self._root / prefix):
            self.reach()
            for name, size in _below(os.path.join(self._root, prefix), f"{prefix}/" if prefix else ""):
                found[name] = size
                if len(found) > REMOTE_NAMES:
                    raise TooMuch(f"there are more than {REMOTE_NAMES} names below {prefix}")
        return found

    def get(self, name: str, limit: int) -> bytes | None:
        """As `Remote.get`."""
        with _told("read", self._root / name):
            try:
                content = read_regular(self._root / name, limit)
            except FileNotFoundError:
                return None
        if len(content) > limit:
            raise TooMuch(f"{name} is larger than {limit} bytes")
        return content

    def create(self, name: str, content: bytes) -> bool:
        """As `Remote.create`: a hard link from a temporary file, which is atomic and never replaces."""
        path = self._root / name
        with _told("write", path):
            self.reach()
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                return write_new(path, content)
            except StoreError as error:
                raise RemoteError(error.message) from error


def _below(folder: str, prefix: str) -> Iterator[tuple[str, int]]:
    """Name, with `prefix` before it, and size of every regular file; what cannot be listed holds none."""
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except OSError:
        return
    for each in entries:
        name = f"{prefix}{each.name}"
        if each.is_dir(follow_symlinks=False):
            yield from _below(each.path, f"{name}/")
        elif each.is_file(follow_symlinks=False):
            with suppress(FileNotFoundError):  # others write, and remove what they wrote for a moment
                yield name, each.stat(follow_symlinks=False).st_size


@contextmanager
def _told(doing: str, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RemoteError(f"cannot {doing} {path}: {error.strerror or error}") from error
