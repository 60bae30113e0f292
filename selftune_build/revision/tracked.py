"""Which files git will take along: what is not in the index is in nobody else's clone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from msgspec import Struct

from selftune_build.limits import GIT_CONFIG_BYTES, GIT_INDEX_BYTES
from selftune_build.revision.objects import parsing
from selftune_build.revision.plain import read_plain
from selftune_build.revision.repository import Repository, find_repository

_SPLIT = b"link"


class Untracked(Struct, frozen=True):
    """Files that are not in the index, and of those the ones that git was told to ignore; both sorted."""

    unknown: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def untracked(folder: Path, paths: Iterable[str]) -> Untracked:
    """Which of these files below a folder git does not track. Raises UndecidedError where there is no repository that reads."""
    repository = find_repository(folder)
    start = Path(os.path.realpath(folder)).relative_to(repository.root).as_posix()
    known = _index(repository)
    if known is None:
        return Untracked()
    wanted = {path: path if start == "." else f"{start}/{path}" for path in paths}
    missing = {path: place for path, place in wanted.items() if not _is_known(place, known)}
    ignored = _ignored(repository, missing) if missing else set()
    return Untracked(tuple(sorted(missing.keys() - ignored)), tuple(sorted(ignored)))


def _index(repository: Repository) -> set[str] | None:
    """Paths in the index; None for one that is kept in two files."""
    from dulwich.index import read_index_dict_with_version
    from dulwich.object_format import get_object_format

    content = read_plain(os.path.join(repository.private, "index"), GIT_INDEX_BYTES)
    if content is None:
        return set()
    with parsing("the index"):
        object_format = get_object_format(repository.object_format)
        entries, _, extensions = read_index_dict_with_version(BytesIO(content), object_format)
        if any(extension.signature == _SPLIT for extension in extensions):
            return None
        return {os.fsdecode(name) for name in entries}


def _is_known(place: str, known: set[str]) -> bool:
    """Whether a path is in the index, or below a folder that a sparse index has as a whole, or a link."""
    parts = place.split("/")
    folders = ["/".join(parts[:end]) for end in range(1, len(parts))]
    return place in known or not known.isdisjoint([*folders, *(f"{folder}/" for folder in folders)])


def _ignored(repository: Repository, missing: dict[str, str]) -> set[str]:
    from dulwich.ignore import IgnoreFilter, IgnoreFilterManager

    with parsing("what it ignores"):
        exclude = read_plain(os.path.join(repository.common, "info", "exclude"), GIT_CONFIG_BYTES) or b""
        manager = IgnoreFilterManager(str(repository.root), [IgnoreFilter(exclude.splitlines())], ignorecase=False)
        return {path for path, place in missing.items() if manager.is_ignored(place)}
