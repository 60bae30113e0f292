"""From the trail of an invocation to the paths whose change makes its answer doubtful."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator

from selftune_build.limits import STATE_PATHS
from selftune_build.store.state import ABSENT, EXACT, KIND, PLACE, look
from selftune_build.store.trail import Trail
from selftune_build.store.worktree import upwards

Watched = list[tuple[bytes, bytes]]
"""Path and how it looked, the paths sorted."""

RACY_NS = 2_000_000_000
"""Coarsest time stamp of a file system that we know of."""


class TooYoung(Exception):
    """Something was changed just before or while it was read: its next change could leave no mark."""


class TooMany(Exception):
    """There are more paths than it would pay to compare."""


def watchlist(trail: Trail, store: str) -> Watched:
    """Everything on the trail as it looks now. Raises TooYoung and TooMany.

    A file that was opened counts with size, times, mode and inode. So does a folder that was listed, every file and link in it
    whether it was opened or not, and what its links lead to. Of what was only asked about counts whether it is there and what it
    is; likewise of every folder above. Modules of an installation are left to the folders they are found in.
    """
    pairs = set(_pairs(trail, store))
    exact = {path for path, how in pairs if how == EXACT}
    pairs -= {(path, KIND) for path in exact}
    if len(pairs) > STATE_PATHS:
        raise TooMany
    watched = [(os.fsencode(path), look(os.fsencode(path), how)) for path, how in sorted(pairs)]
    for _, line in watched:
        _refuse_young(line, trail.began_ns - RACY_NS)
    folders = {path for path, line in watched if line.startswith(EXACT) and _is_folder(line)}
    return [(path, line) for path, line in watched if not (line.endswith(ABSENT) and os.path.dirname(path) in folders)]


def _is_folder(line: bytes) -> bool:
    """Whether a folder stands there: its own times tell of every name that comes or goes in it."""
    return not line.endswith(ABSENT) and stat.S_ISDIR(int(line[1:].split(b" ")[0]))


def _pairs(trail: Trail, store: str) -> Iterator[tuple[str, bytes]]:
    modules = _installed_modules()
    opened = trail.opened - modules
    code = {os.path.abspath(folder) for folder in (*sys.path, *sys.path_importer_cache)}
    listed = {folder for folder in trail.listed | code if folder not in code or not _is_installed(folder)}
    for path in opened:
        yield from _followed(path, EXACT)
    for path in (*listed, *(os.path.abspath(entry) for entry in sys.path)):
        yield path, EXACT
    for folder in listed:
        if not _is_inside(folder, store):
            yield from _files_in(folder)
    for path in trail.probed:
        yield from _followed(path, KIND)
    yield from ((above, KIND) for above in _above((*opened, *listed, *trail.probed)))


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
