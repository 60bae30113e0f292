"""Symbolic links of a package: which may be followed, and what is wrong with the others."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from msgspec import Struct

from selftune_build.model.finding import Severity
from selftune_build.model.package import LOCK_FILE

EXCLUDED_NAMES = frozenset(
    {LOCK_FILE, ".selftune", ".git", ".hg", ".svn", ".jj", ".bzr", "__pycache__", ".DS_Store", "Thumbs.db"}
)
"""Never part of a package, at any depth; `.git` also as the file that a worktree has."""

EXCLUDED_SUFFIX = ".pyc"


class LinkFault(Struct, frozen=True):
    """What is wrong with a link; one that is an error is not followed."""

    code: str
    severity: Severity
    message: str
    hint: str | None = None


def is_excluded(name: str) -> bool:
    """Whether a file or folder of this name is never part of a package."""
    return name in EXCLUDED_NAMES or name.endswith(EXCLUDED_SUFFIX)


def broken_link(error: OSError) -> LinkFault:
    """The fault of a link that could not be resolved."""
    if error.errno == errno.ELOOP:
        return LinkFault("link-loop", Severity.ERROR, "the link leads back to itself", "remove the link")
    return LinkFault("link-dangling", Severity.ERROR, f"the link leads nowhere: {error.strerror}", "remove the link")


def link_faults(root: str, boundary: str, real: str, target: str) -> Iterator[LinkFault]:
    """Faults of a link with text `target` that leads to `real`, in a package at `root` of a repository at `boundary`."""
    if not _is_inside(real, root) and not _is_inside(real, boundary):
        message = "the link leaves the repository: nobody else has what it points to"
        yield LinkFault("link-leaves-repository", Severity.ERROR, message, "copy the file into the package")
        return
    home = root if _is_inside(real, root) else boundary
    if any(is_excluded(part) for part in real[len(home) :].split("/")):
        message = "the link leads to what is never part of a package (version control, lock, caches)"
        yield LinkFault("link-to-excluded", Severity.ERROR, message, "remove the link")
        return
    if home != root:
        message = "the link leaves the package: it breaks where the folder is installed alone"
        yield LinkFault("link-leaves-package", Severity.WARNING, message, "copy the file into the package")
    if target.startswith("/"):
        message = "the link names an absolute path: it breaks in every other clone"
        yield LinkFault("link-absolute", Severity.WARNING, message, "make the link relative")


def _is_inside(real: str, folder: str) -> bool:
    return real == folder or real.startswith(folder.rstrip("/") + "/")
