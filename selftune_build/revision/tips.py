"""Every commit that something in a repository points to: refs, the HEADs of all worktrees, and the whole stash."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from selftune_build.limits import GIT_CONFIG_BYTES, GIT_REFS
from selftune_build.revision.plain import read_plain, unusable
from selftune_build.revision.repository import Repository

_DIGITS = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_HEADS = re.compile(r"[A-Z_]*HEAD")
_STASH = "refs/stash"


def tips(repository: Repository) -> dict[str, str]:
    """Object name → what points to it. A ref may point to any kind of object. Raises UndecidedError."""
    found: dict[str, str] = {}
    for place, name in (*_packed(repository), *_loose(repository), *_heads(repository), *_stashed(repository)):
        found.setdefault(name, place)
    return found


def worktrees(repository: Repository) -> list[Path]:
    """The folders of all worktrees that are there. Raises UndecidedError."""
    found = [repository.root]
    if os.path.basename(repository.common) == ".git":
        found.append(Path(repository.common).parent)
    for private in _linked(repository):
        content = read_plain(os.path.join(private, "gitdir"), GIT_CONFIG_BYTES)
        if content is not None:
            found.append(Path(os.path.realpath(os.path.join(private, os.fsdecode(content).strip()))).parent)
    return sorted({folder for folder in found if folder.is_dir()})


def _packed(repository: Repository) -> Iterator[tuple[str, str]]:
    for line in (read_plain(os.path.join(repository.common, "packed-refs"), GIT_CONFIG_BYTES) or b"").splitlines():
        name, _, place = line.partition(b" ")
        if _DIGITS.fullmatch(name):
            yield place.decode("utf-8", "replace"), name.decode()


def _loose(repository: Repository) -> Iterator[tuple[str, str]]:
    """Refs that are files; symbolic ones lead to others."""
    for folder in (repository.common, *_linked(repository)):
        for path in _below(os.path.join(folder, "refs")):
            yield from _pointing(path, os.path.relpath(path, folder))


def _heads(repository: Repository) -> Iterator[tuple[str, str]]:
    """HEAD, and what a merge or a rebase keeps; of every worktree."""
    for folder in (repository.common, repository.private, *_linked(repository)):
        for name in _listed(folder):
            if _HEADS.fullmatch(name):
                yield from _pointing(os.path.join(folder, name), name)


def _stashed(repository: Repository) -> Iterator[tuple[str, str]]:
    """Older entries of the stash stand in its log alone: each line is old name, new name, who, message."""
    content = read_plain(os.path.join(repository.common, "logs", _STASH), GIT_CONFIG_BYTES) or b""
    for line in content.splitlines():
        words = line.split(b" ", 2)
        if len(words) == 3 and _DIGITS.fullmatch(words[1]):
            yield _STASH, words[1].decode()


def _pointing(path: str, place: str) -> Iterator[tuple[str, str]]:
    word = (read_plain(path, GIT_CONFIG_BYTES) or b"").split()[:1]
    if word and _DIGITS.fullmatch(word[0]):
        yield place, word[0].decode()


def _linked(repository: Repository) -> list[str]:
    """The private folders of linked worktrees."""
    folder = os.path.join(repository.common, "worktrees")
    return [os.path.join(folder, name) for name in _listed(folder) if os.path.isdir(os.path.join(folder, name))]


def _below(folder: str) -> Iterator[str]:
    count = 0
    for above, _, names in os.walk(folder, onerror=_raise):
        for name in names:
            count += 1
            if count > GIT_REFS:
                raise unusable(f"it has more than {GIT_REFS} refs", "`git pack-refs --all`")
            yield os.path.join(above, name)


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        _raise(error)
        raise


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise unusable(f"{error.filename}: {error.strerror}") from None
