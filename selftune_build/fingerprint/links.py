"""Symbolic links of a package: which may be followed, and what is wrong with the others."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from selftune_build.escape import one_line
from selftune_build.fingerprint.names import TreeFault
from selftune_build.model.finding import Severity
from selftune_build.model.package import LOCK_FILE

EXCLUDED_NAMES = frozenset(
    {LOCK_FILE, ".selftune", ".git", ".hg", ".svn", ".jj", ".bzr", "__pycache__", ".DS_Store", "Thumbs.db"}
)
"""Never part of a package, at any depth; `.git` also as the file that a worktree has."""

EXCLUDED_SUFFIX = ".pyc"
_SHOWN = 120


def is_excluded(name: str) -> bool:
    """Whether a file or folder of this name is never part of a package."""
    return name in EXCLUDED_NAMES or name.endswith(EXCLUDED_SUFFIX)


def broken_link(error: OSError, target: str) -> TreeFault:
    """The fault of a link with text `target` that could not be resolved."""
    if error.errno == errno.ELOOP:
        return TreeFault("link-loop", Severity.ERROR, "the link leads back to itself", "remove the link")
    why = "which is not there" if error.errno == errno.ENOENT else f"which cannot be followed ({error.strerror})"
    hint = "correct or remove the link; what git does not track is in nobody else's clone"
    return TreeFault("link-dangling", Severity.ERROR, f"the link leads to {_shown(target)}, {why}", hint)


def link_faults(root: str, boundary: str, real: str, target: str) -> Iterator[TreeFault]:
    """Faults of a link with text `target` that leads to `real`, in a package at `root` of a repository at `boundary`."""
    if not _is_inside(real, root) and not _is_inside(real, boundary):
        message = f"the link to {_shown(target)} leaves the repository: nobody else has what it points to"
        yield TreeFault("link-leaves-repository", Severity.ERROR, message, "copy the file into the package")
        return
    home = root if _is_inside(real, root) else boundary
    if any(is_excluded(part) for part in real[len(home) :].split("/")):
        message = f"the link to {_shown(target)} leads to what is never part of a package (version control, lock, caches)"
        yield TreeFault("link-to-excluded", Severity.ERROR, message, "remove the link")
        return
    if home != root:
        message = f"the link to {_shown(target)} leaves the package: it breaks where the folder is installed alone"
        yield TreeFault("link-leaves-package", Severity.WARNING, message, "copy the file into the package")
    if target.startswith("/"):
        message = f"the link names an absolute path, {_shown(target)}: it breaks in every other clone"
        yield TreeFault("link-absolute", Severity.WARNING, message, "make the link relative")


def _shown(target: str) -> str:
    plain = target.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return f"`{one_line(plain, _SHOWN)}`"


def _is_inside(real: str, folder: str) -> bool:
    return real == folder or real.startswith(folder.rstrip("/") + "/")
