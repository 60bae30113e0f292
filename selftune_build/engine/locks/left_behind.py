"""Files that count for a package and that git does not take along: the lock then belongs to a tree that CI will not have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from selftune_build.errors import UndecidedError
from selftune_build.escape import one_line
from selftune_build.limits import MESSAGE_CHARACTERS, SHOWN_CASES
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.model.package import LOCK_FILE, Package
from selftune_build.wording import listed


def left_behind(package: Package) -> tuple[Finding, ...]:
    """A warning where git ignores files that count or the lock, a note where it does not track some yet; nothing outside of a
    repository, or in one that cannot be read."""
    from selftune_build.revision.tracked import untracked

    try:
        found = untracked(Path(package.root), [*(file.path for file in package.tree), LOCK_FILE])
    except UndecidedError:
        return ()
    unknown = [path for path in found.unknown if path != LOCK_FILE]
    hint = "`git add -f` them, or leave them out with `exclude:` in selftune.yaml"
    ignored = _finding("ignored-file", Severity.WARNING, "git ignores", found.ignored, package, hint)
    hint = "`git add` them with the lock"
    return (*ignored, *_finding("untracked-file", Severity.NOTE, "git does not track yet", unknown, package, hint))


def _finding(code: str, severity: Severity, what: str, paths: Sequence[str], package: Package, hint: str) -> tuple[Finding, ...]:
    if not paths:
        return ()
    names = listed(paths, SHOWN_CASES)
    message = one_line(f"{what} {names}, and the lock counts on it: CI will not have that", MESSAGE_CHARACTERS)
    return (Finding(code, severity, message, Location((PurePosixPath(package.path) / paths[0]).as_posix()), hint),)
