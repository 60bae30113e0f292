"""Which folder is the workspace, and which packages it holds (DESIGN 8.1)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from selftune_build.errors import InputError, UsageError, refuse_machine
from selftune_build.limits import MANIFEST_BYTES
from selftune_build.model.location import Location
from selftune_build.model.package import MANIFEST_FILE, SKILL_FILE
from selftune_build.probe import probed
from selftune_build.reading.discovery import discover, holds_skill, matching_folders
from selftune_build.reading.manifest import ManifestFile, read_manifest
from selftune_build.relpath import is_glob, safe


class Workspace(Struct, frozen=True):
    """The workspace of one invocation: its absolute root and the folders of its packages relative to that, sorted."""

    root: Path
    manifest_file: ManifestFile | None
    members: tuple[str, ...]

    @property
    def declared(self) -> bool:
        """Whether a manifest declares it; without one packages are not siblings of each other."""
        return self.manifest_file is not None


def find_workspace(start: Path) -> Workspace:
    """The workspace that a folder (or a file in it) belongs to.

    That is the nearest folder upwards whose manifest has `workspace:`, up to the root of the clone it is in; else the nearest
    folder upwards with a SKILL.md, alone; else the packages found below `start`. Raises UsageError where `start` is not there
    and InputError for a manifest on the way that cannot be read, or for members that are not there.
    """
    folder = _folder(start)
    ancestors = list(_upwards(folder))
    for candidate in ancestors:
        file = manifest_at(candidate, _shown(candidate, folder))
        if file is not None and file.is_workspace:
            return _declared(candidate, file)
    for candidate in ancestors:
        if holds_skill(candidate):
            return Workspace(candidate, None, (".",))
    return Workspace(folder, None, discover(folder))


def manifest_at(folder: Path, shown: str) -> ManifestFile | None:
    """The manifest in a folder, None without one; `shown` is its path in messages.

    Raises InputError where it is not a regular file, is too large or does not read as a manifest. A link is refused: messages
    quote what they refuse, and a link may lead to a file that nobody wants quoted.
    """
    try:
        content = read_regular(folder / MANIFEST_FILE)
    except FileNotFoundError:
        return None
    except OSError as error:
        refuse_machine(error, folder / MANIFEST_FILE)
        raise _unreadable(
            f"cannot read the manifest: {error.strerror}", shown, "make it a regular file that you may read"
        ) from None
    if content is None:
        raise _unreadable("the manifest is not a regular file", shown, "replace it with a regular file")
    return read_manifest(content, shown)


def read_regular(path: Path) -> bytes | None:
    """The start of a regular file, one byte more than a manifest may have; None for anything else. Never waits for a writer.

    Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            return stream.read(MANIFEST_BYTES + 1)
    finally:
        os.close(descriptor)


def _unreadable(message: str, shown: str, hint: str) -> InputError:
    return InputError(message, at=Location(shown, 1, 1, ""), hint=hint, code="unreadable")


def _folder(start: Path) -> Path:
    probed(start)
    folder = Path(os.path.realpath(start))
    if folder.is_file():
        return folder.parent
    if not folder.is_dir():
        raise UsageError(f"there is no folder {str(start)!r}", hint="name an existing folder")
    return folder


def _upwards(folder: Path) -> Iterator[Path]:
    """Folders from `folder` to the root of its clone: what lies above is in nobody's checkout, so no lock could rest on it."""
    for candidate in (folder, *folder.parents):
        yield candidate
        probed(candidate / ".git")
        if (candidate / ".git").is_dir():
            return


def _shown(folder: Path, start: Path) -> str:
    return Path(os.path.relpath(folder / MANIFEST_FILE, start)).as_posix()


def _declared(root: Path, found: ManifestFile) -> Workspace:
    file = ManifestFile(msgspec.structs.replace(found.document, path=MANIFEST_FILE))
    members = {"."} if holds_skill(root) else set()
    for index, pattern in enumerate(file.data["workspace"]["members"]):
        members.update(_members(root, pattern, file.locate(f"/workspace/members/{index}")))
    if "." not in members and file.settings():
        key = file.settings()[0]
        message = f"`{key}` is a setting of a package, and the workspace root is none"
        at = file.document.locate_key(f"/{key}")
        hint = "move it under `defaults:`" if key != "accepted" else "move it to the manifest of the package it is for"
        raise InputError(message, at=at, hint=hint, code="misplaced-setting")
    return Workspace(root, file, tuple(sorted(members)))


def _members(root: Path, pattern: str, at: Location) -> tuple[str, ...]:
    if not is_glob(pattern):
        return (_literal_member(root, safe(pattern, at=at), at),)
    folders = matching_folders(root, pattern, at)
    if not folders:
        raise InputError(f"no folder matches `{pattern}`", at=at, hint="correct the pattern or remove it", code="no-member")
    return tuple(folder for folder in folders if holds_skill(root / folder))


def _literal_member(root: Path, path: str, at: Location) -> str:
    folder = root / path
    probed(folder)
    if not Path(os.path.realpath(folder)).is_relative_to(root):
        hint = "copy the package into the workspace"
        raise InputError(f"`{path}` is a link that leads out of the workspace", at=at, hint=hint, code="unsafe-path")
    if not folder.is_dir():
        raise InputError(f"there is no folder `{path}`", at=at, hint="correct the path or remove it", code="no-member")
    if not holds_skill(folder):
        raise InputError(f"`{path}` has no {SKILL_FILE}", at=at, hint="add one, or remove the member", code="no-member")
    return path
