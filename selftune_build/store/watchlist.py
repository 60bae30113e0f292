"""From the trail of an invocation to the paths whose change makes its answer doubtful."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator

from selftune_build.limits import STATE_PATHS
from selftune_build.store.state import ABSENT, EXACT, INDEX, KIND, PLACE, look
from selftune_build.store.trail import Looked
from selftune_build.store.worktree import upwards

Watched = list[tuple[bytes, bytes]]
"""Path and how it looked, the paths sorted."""

RACY_NS = 2_000_000_000
"""Coarsest time stamp of a file system that we know of."""


class TooYoung(Exception):
    """Something was changed just before or while it was read: its next change could leave no mark."""


class TooMany(Exception):
    """There are more paths than it would pay to compare."""


def watchlist(looked: Looked, began_ns: int, store: str) -> Watched:
    """Everything that was looked at since `began_ns`, and the code that runs, as they look now. Raises TooYoung and TooMany.

    A file that was opened counts with size, times, mode and inode. So does a folder that was listed, every file and link in it
    whether it was opened or not, and what its links lead to. Of what was only asked about counts whether it is there and what it
    is; likewise of every folder above. Modules of an installation are left to the folders they are found in.
    """
    return _watched(set(_pairs(looked, store)), began_ns)


def watchlist_within(looked: Looked, began_ns: int) -> Watched:
    """As `watchlist`, without the code and the folders above, for what lies in one folder."""
    return _watched(set(_looked_at(looked, lambda _folder: True)), began_ns)


def _watched(pairs: set[tuple[str, bytes]], began_ns: int) -> Watched:
    exact = {path for path, how in pairs if how == EXACT}
    pairs -= {(path, KIND) for path in exact}
    if len(pairs) > STATE_PATHS:
        raise TooMany
    watched = [(os.fsencode(path), look(os.fsencode(path), how)) for path, how in sorted(pairs)]
    for _, line in watched:
        _refuse_young(line, began_ns - RACY_NS)
    folders = {path for path, line in watched if line.startswith(EXACT) and _is_folder(line)}
    return [(path, line) for path, line in watched if not (line.endswith(ABSENT) and os.path.dirname(path) in folders)]


def _is_folder(line: bytes) -> bool:
    """Whether a folder stands there: its own times tell of every name that comes or goes in it."""
    return not line.endswith(ABSENT) and stat.S_ISDIR(int(line[1:].split(b" ")[0]))


def _pairs(looked: Looked, store: str) -> Iterator[tuple[str, bytes]]:
    seen, code = Looked(looked), {os.path.abspath(folder) for folder in (*sys.path, *sys.path_importer_cache)}
    seen.opened = {path for path in seen.opened - _installed_modules() if not _is_inside(path, os.path.join(store, INDEX))}
    seen.listed = {folder for folder in seen.listed | code if folder not in code or not _is_installed(folder)}
    yield from _looked_at(seen, lambda folder: not _is_inside(folder, store))
    yield from ((os.path.abspath(entry), EXACT) for entry in sys.path)
    yield from ((above, KIND) for above in _above((*seen.opened, *seen.listed, *seen.probed)))


def _looked_at(looked: Looked, whole: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Of folders that were listed every file in them, too, where they are `whole`."""
    for path in looked.opened:
        yield from _followed(path, EXACT)
    for folder in looked.listed:
        yield folder, EXACT
        if whole(folder):
            yield from _files_in(folder)
    for path in looked.probed:
        yield from _followed(path, KIND)


def _files_in(folder: str) -> Iterator[tuple[str, bytes]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    yield from _followed(entry.path, EXACT)
    except OSError:
        return


def _followed(path: str, how: bytes) -> Iterator[tuple[str, bytes]]:
    """A path, and if it is a link where that leads and what is there."""
    yield path, how
    if os.path.islink(path):
        yield path, PLACE
        target = os.path.realpath(path)
        yield target, EXACT if os.path.isfile(target) else KIND


def _above(paths: Iterable[str]) -> set[str]:
    return {above for folder in {os.path.dirname(path) for path in paths} for above in upwards(folder)}


def _installed_modules() -> set[str]:
    """Files that the interpreter imported from an installation: reinstalling changes the folder they are found in."""
    found: set[str] = set()
    for module in list(sys.modules.values()):
        spec = getattr(module, "__spec__", None)
        files = (getattr(module, "__file__", None), getattr(spec, "cached", None), getattr(spec, "origin", None))
        found.update(file for file in files if isinstance(file, str) and _is_installed(file))
    return found


def _is_installed(path: str) -> bool:
    return any(_is_inside(path, prefix) for prefix in (sys.prefix, sys.base_prefix))


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _refuse_young(line: bytes, limit_ns: int) -> None:
    fields = line[1:].split(b" ")
    if line[:1] != PLACE and len(fields) == 5 and max(int(fields[2]), int(fields[3])) >= limit_ns:
        raise TooYoung
