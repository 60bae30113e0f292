"""From the bytes of a patch to the workspace that it makes; reads the files that it names, and writes nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from selftune_build.engine.load import Universe
from selftune_build.engine.overlay.bounds import refusal
from selftune_build.engine.overlay.overlaid import Change, Overlaid
from selftune_build.errors import InputError
from selftune_build.fingerprint.disk import Disk, Laid
from selftune_build.fingerprint.tree import find_boundary
from selftune_build.limits import PATCH_FILE_BYTES
from selftune_build.model.candidate import Candidate
from selftune_build.model.location import Location
from selftune_build.model.patch import Fate, FilePatch
from selftune_build.mutators.candidate import read_candidate
from selftune_build.reading.patch import read_patch
from selftune_build.reading.patching import patched
from selftune_build.store.reading import read_regular

_MEND = "take the file out of the patch"
_AGAIN = "run the mutator again: the package has changed since"


def open_overlay(universe: Universe, content: bytes, shown: str) -> Overlaid:
    """A patch, or a candidate, laid over a workspace. `shown` is its name in messages.

    Raises InputError for a patch that cannot be read, touches what it must not, or does not fit exactly.
    """
    candidate = read_candidate(content, shown)
    files = read_patch(content, shown) if candidate is None else candidate.files
    if candidate is not None:
        _require_parent(universe, candidate, shown)
    root = os.path.realpath(universe.root)
    prefix = "" if candidate is not None else _prefix(Path(root), files)
    changes = tuple(_change(universe, root, file, file.path.removeprefix(prefix), shown) for file in files)
    laid = {os.path.join(root, change.path): change.laid for change in changes}
    return Overlaid(shown, changes, Disk(laid), universe, candidate)


def _prefix(root: Path, files: Sequence[FilePatch]) -> str:
    """What leads from where the paths of the patch start to the workspace: the root of the repository, as for `git apply`,
    where all of them lie in the workspace then and are there; else the workspace itself."""
    relative = root.relative_to(os.path.realpath(find_boundary(root, root))).as_posix()
    prefix = "" if relative == "." else f"{relative}/"
    if not all(file.path.startswith(prefix) for file in files):
        return ""
    named = [file.path for file in files if file.fate is not Fate.ADDED]
    there = all((root / path.removeprefix(prefix)).is_file() for path in named)
    return prefix if there or not all((root / path).is_file() for path in named) else ""


def _change(universe: Universe, root: str, file: FilePatch, path: str, shown: str) -> Change:
    why = refusal(universe, path, file.fate)
    if why is not None:
        raise _refused(f"the patch touches `{path}`: {why}", shown, file.line)
    before = _present(root, path, shown, file.line)
    after = patched(file, None if before is None else before.content, shown)
    executable = before.executable if before is not None else file.executable
    return Change(path, file.fate, None if after is None else Laid(after, executable))


def _present(root: str, path: str, shown: str, line: int) -> Laid | None:
    """The file as it stands, None where there is none. Raises InputError for what is no plain file of the workspace."""
    place = os.path.join(root, path)
    if os.path.realpath(place) != place:
        raise _refused(f"`{path}` is, or is reached through, a symbolic link", shown, line)
    try:
        content = read_regular(place, PATCH_FILE_BYTES)
        executable = bool(os.stat(place).st_mode & stat.S_IXUSR)
    except (FileNotFoundError, NotADirectoryError):
        if _blocked(root, path):
            raise _refused(f"`{path}` would lie in a file", shown, line) from None
        return None
    except OSError as error:
        raise _refused(f"`{path}` cannot be read: {error.strerror or error}", shown, line) from None
    if len(content) > PATCH_FILE_BYTES:
        raise _refused(f"`{path}` is larger than {PATCH_FILE_BYTES:,} bytes", shown, line)
    return Laid(content, executable)


def _blocked(root: str, path: str) -> bool:
    steps = path.split("/")[:-1]
    ways = (os.path.join(root, *steps[: end + 1]) for end in range(len(steps)))
    return any(os.path.lexists(way) and not os.path.isdir(way) for way in ways)


def _require_parent(universe: Universe, candidate: Candidate, shown: str) -> None:
    """Raises InputError where a candidate was made from another state of its package, or patches another one."""
    package = next((each for each in universe.packages if each.path == candidate.package), None)
    if package is None:
        raise _refused(f"the candidate is for the package in `{candidate.package}`, which is not here", shown, None)
    start = "" if package.path == "." else f"{package.path}/"
    stray = next((file for file in candidate.files if not file.path.startswith(start)), None)
    if stray is not None:
        raise _refused(f"the candidate is for {package.handle} and touches `{stray.path}`", shown, stray.line)
    if package.tree_digest != candidate.parent:
        message = f"the candidate was made from another state of {package.handle}"
        raise InputError(message, at=Location(shown), hint=_AGAIN, code="patch-does-not-fit")


def _refused(message: str, shown: str, line: int | None) -> InputError:
    return InputError(message, at=Location(shown, line), hint=_MEND, code="patch-refused")
