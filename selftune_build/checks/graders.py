"""Which files of a package a `command` check depends on: those it names, and what lies beside them."""

from __future__ import annotations

from collections.abc import Iterable

from selftune_build.model.package import TreeFile


def grader_files(tree: Iterable[TreeFile], named: Iterable[str]) -> list[TreeFile]:
    """The named files and everything in or below their folders: a grader imports what lies beside it.

    A file at the root of the package stands alone, else every edit would be one of the grader.
    """
    wanted = frozenset(named)
    folders = tuple({path[: path.rindex("/") + 1] for path in wanted if "/" in path})
    return [file for file in tree if file.path in wanted or (folders and file.path.startswith(folders))]
