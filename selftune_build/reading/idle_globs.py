"""What a package's own manifest names and nothing in the package fits: a typo more often than not."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from selftune_build.errors import InputError
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.reading.manifest import ManifestFile
from selftune_build.relpath import is_glob, match_glob

CODE = "manifest-glob-idle"
_WANTED = {"evals": "eval files", "unit_tests": "unit tests"}


def idle_globs(own: ManifestFile | None, paths: Collection[str], idle_excludes: Collection[str]) -> tuple[Finding, ...]:
    """A finding for each pattern of `evals`, `unit_tests` and `exclude` that fits none of the package's `paths`.

    `idle_excludes` are the patterns to exclude that left nothing out. The defaults of a workspace may fit nothing in one of
    its packages. Raises InputError where a file under `evals` or `unit_tests` is named without a wildcard and is not there.
    """
    return tuple(_findings(own, paths, idle_excludes)) if own is not None else ()


def _findings(own: ManifestFile, paths: Collection[str], idle_excludes: Collection[str]) -> Iterator[Finding]:
    for key, kind in _WANTED.items():
        for pattern, at in _patterns(own, key):
            if any(match_glob(pattern, path) for path in paths):
                continue
            if not is_glob(pattern):
                hint = "paths are relative to the folder with SKILL.md; what `exclude:` leaves out is not there"
                raise InputError(f"there is no file `{pattern}` in the package", at=at, hint=hint, code="missing-file")
            hint = "correct the pattern; paths are relative to the folder with SKILL.md"
            yield Finding(CODE, Severity.WARNING, f"`{pattern}` fits no file, so it adds no {kind}", at, hint)
    for pattern, at in _patterns(own, "exclude"):
        if pattern in idle_excludes:
            hint = "correct the pattern or remove it"
            yield Finding(CODE, Severity.WARNING, f"`{pattern}` fits no file, so it excludes nothing", at, hint)


def _patterns(own: ManifestFile, key: str) -> Iterator[tuple[str, Location]]:
    for index, pattern in enumerate(own.data.get(key, ())):
        yield pattern, own.locate(f"/{key}/{index}")
