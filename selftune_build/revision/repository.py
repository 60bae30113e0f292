"""Where the repository around a folder is, and the little of its configuration that says how to read it.

Follows gitrepository-layout. No setting is obeyed that names a program, another file or another folder: no includes, no hooks,
no `core.worktree`, no environment variables, no replacement objects.
"""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

from msgspec import Struct

from selftune_build.errors import UndecidedError
from selftune_build.limits import GIT_CONFIG_BYTES
from selftune_build.revision.plain import is_regular, read_plain, unusable

_POINTER_BYTES = 8192
_READABLE = frozenset({"worktreeconfig", "objectformat", "relativeworktrees", "partialclone", "preciousobjects", "noop"})
"""Extensions of the repository format that change nothing about reading objects and refs as it is done here."""


class Repository(Struct, frozen=True):
    """A repository and the worktree that was asked about; absolute paths."""

    root: Path
    """Root of the worktree."""
    private: str
    """Holds HEAD and the index of this worktree."""
    common: str
    """Holds objects and refs of all worktrees."""
    object_format: str
    partial: bool
    """Whether it is a partial clone: objects may be left out on purpose."""
    remotes: tuple[str, ...]

    @property
    def shallow(self) -> bool:
        """Whether history was cut off when it was cloned."""
        return is_regular(os.path.join(self.common, "shallow"), GIT_CONFIG_BYTES)


def find_repository(folder: Path) -> Repository:
    """The repository that a folder belongs to. Raises UndecidedError where there is none, or none that can be read."""
    start = os.path.realpath(folder)
    for candidate in (Path(start), *Path(start).parents):
        marker = candidate / ".git"
        if os.path.lexists(marker):
            return _opened(start, candidate, str(marker))
    raise UndecidedError(
        f"{folder} is in no git repository", hint="clone the repository, or leave out --since and --policy", code="repository"
    )


def is_bare(folder: Path) -> bool:
    """Whether a folder itself is a bare repository, by what lies in it."""
    return all(os.path.lexists(folder / name) for name in ("HEAD", "config", "objects", "refs")) and not os.path.lexists(
        folder / ".git"
    )


def bare_repository(folder: Path) -> Repository:
    """A bare repository that somebody has named. One that is merely found on the way up could be part of a checkout.

    Raises UndecidedError where it cannot be read.
    """
    root = os.path.realpath(folder)
    if os.stat(root).st_uid != os.geteuid():
        raise unusable(f"{root} belongs to somebody else", "make a clone of your own")
    return _repository(Path(root), root, root)


def _opened(start: str, root: Path, marker: str) -> Repository:
    if os.path.islink(marker):
        raise unusable(f"{marker} is a symbolic link", "make a fresh clone")
    if os.lstat(marker).st_uid not in (os.geteuid(), os.stat(start).st_uid):
        raise unusable(f"{marker} belongs to somebody else", "make a clone of your own")
    private, common = (marker, marker) if os.path.isdir(marker) else _linked(root, marker)
    return _repository(root, private, common)


def _repository(root: Path, private: str, common: str) -> Repository:
    config = settings_of(common)
    return Repository(
        root=root,
        private=private,
        common=common,
        object_format=config.get("extensions.objectformat", "sha1"),
        partial=any(name.startswith("remote.") and name.endswith(".promisor") for name in config)
        or "extensions.partialclone" in config,
        remotes=tuple(sorted({name.split(".", 2)[1] for name in config if name.startswith("remote.") and name.endswith(".url")})),
    )


def _linked(root: Path, marker: str) -> tuple[str, str]:
    """A `.git` file is followed to a linked worktree that points back, or to a submodule's folder in the `.git` of a repository
    around it: a file that a stranger wrote must not choose another repository of this machine."""
    private = _pointed(marker, str(root), "gitdir:")
    if private is None or not os.path.isdir(private):
        raise unusable(f"{marker} does not lead to a repository")
    common = _pointed(os.path.join(private, "commondir"), private)
    if common is None:
        if any(private.startswith(os.path.join(above, ".git", "modules", "")) for above in map(str, root.parents)):
            return private, private
        raise unusable(f"{marker} leads to a repository of another place", "make a fresh clone")
    back = _pointed(os.path.join(private, "gitdir"), private)
    if back is None or back != os.path.realpath(marker):
        raise unusable(f"{marker} leads to a worktree that does not lead back", "`git worktree repair`, or a fresh clone")
    return private, common


def _pointed(file: str, base: str, prefix: str = "") -> str | None:
    """The real path that a one-line pointer file names, None where it is not there or not one."""
    content = read_plain(file, _POINTER_BYTES)
    text = os.fsdecode(content).strip() if content is not None else ""
    named = text.removeprefix(prefix).strip()
    if not text.startswith(prefix) or not named or "\0" in text or "\n" in text:
        return None
    return os.path.realpath(os.path.join(base, named))


def settings_of(common: str) -> dict[str, str]:
    """`section.name` and `section.subsection.name` of the repository's own configuration file, nothing that it includes."""
    from dulwich.config import ConfigFile

    content = read_plain(os.path.join(common, "config"), GIT_CONFIG_BYTES)
    if content is None:
        raise unusable(f"{common} has no config")
    try:
        file = ConfigFile.from_file(BytesIO(content), expand_includes=False)
        pairs = [(section, name, value) for section in file.sections() for name, value in file.items(section)]
    except (ValueError, KeyError, IndexError) as error:
        raise unusable(f"its config: {error}") from None
    settings = {_dotted((*section, name)): value.decode("utf-8", "replace") for section, name, value in pairs}
    _refuse_unreadable(settings)
    return settings


def _dotted(parts: tuple[bytes, ...]) -> str:
    first, *middle, last = (part.decode("utf-8", "replace") for part in parts)
    return ".".join((first.lower(), *middle, last.lower()))


def _refuse_unreadable(settings: dict[str, str]) -> None:
    version = settings.get("core.repositoryformatversion", "0")
    extensions = {name.removeprefix("extensions.") for name in settings if name.startswith("extensions.")}
    unknown = sorted(extensions - _READABLE) if version != "0" else []
    if version not in ("0", "1") or unknown:
        raise unusable(f"its format has {unknown[0] if unknown else 'version ' + version}", "clone it without that extension")
    if settings.get("extensions.objectformat", "sha1") not in ("sha1", "sha256"):
        raise unusable("its objects are named by an unknown digest")
