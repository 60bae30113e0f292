"""A workspace with a patch laid over it: what `--overlay` builds in place of the tree."""

from __future__ import annotations

from msgspec import Struct

from selftune_build.engine.load import Universe
from selftune_build.errors import InputError
from selftune_build.fingerprint.digest import ABSENT, digest_bytes, digest_json
from selftune_build.fingerprint.disk import Disk, Laid
from selftune_build.model.candidate import Candidate
from selftune_build.model.case import Case
from selftune_build.model.location import Location
from selftune_build.model.package import Package
from selftune_build.model.patch import Fate
from selftune_build.model.report import Overlay
from selftune_build.mutators.surface import changed_skill


class Change(Struct, frozen=True):
    """One file as a patch makes it: its path in the workspace, None for `laid` where it is removed."""

    path: str
    fate: Fate
    laid: Laid | None


class Overlaid(Struct, frozen=True):
    """A patch that fits the workspace, and the workspace without it."""

    name: str
    """The patch as it was typed."""
    changes: tuple[Change, ...]
    disk: Disk
    present: Universe
    candidate: Candidate | None = None
    """None for a plain patch."""

    @property
    def digest(self) -> str:
        """Names what the files become: patches that make the same files have the same, however they are written."""
        return digest_json(sorted(map(_made, self.changes)))

    def told(self) -> Overlay:
        """What a report says of it."""
        files = tuple((each.path, each.fate.value) for each in self.changes)
        return Overlay(self.name, self.digest, files, self.candidate.digest if self.candidate is not None else "")


def require_harmless(overlaid: Overlaid, universe: Universe) -> None:
    """Hold the workspace with the patch against the one without.

    Raises InputError where it changes what a case asks or how it is judged, or a candidate touches other facets than it says.
    """
    _refuse_other_questions(overlaid, universe)
    candidate = overlaid.candidate
    if candidate is not None:
        (before,) = (package for package in overlaid.present.packages if package.path == candidate.package)
        found = next((changed_facets(before, after) for after in universe.packages if after.path == candidate.package), None)
        if found is not None and found != frozenset(candidate.surface):
            said, names = ", ".join(candidate.surface) or "nothing", ", ".join(sorted(found)) or "nothing"
            message = f"the candidate declares to touch {said}, and touches {names}"
            raise InputError(message, at=Location(overlaid.name, 1), hint="run the mutator again", code="patch-refused")


def changed_facets(before: Package, after: Package) -> frozenset[str]:
    """The facets of a package that differ: `metadata`, `body`, `file:PATH`."""
    then, now = before.facets.files, after.facets.files
    files = {f"file:{path}" for path in {*then, *now} if then.get(path) != now.get(path)}
    return frozenset(files) | changed_skill(before.skill, after.skill)


def _refuse_other_questions(overlaid: Overlaid, universe: Universe) -> None:
    before = {package.path: package for package in overlaid.present.packages}
    for package in universe.packages:
        if package.path not in before:
            continue
        then, now = _cases(before[package.path]), _cases(package)
        case = next((name for name in sorted({*then, *now}) if then.get(name) != now.get(name)), None)
        if case is not None:
            message = f"the patch changes the case {package.handle}[{case}]: what it asks, the files it brings, or its checks"
            hint = "a candidate is measured by the evals as they stand; change evals in the tree, and build"
            raise InputError(message, at=Location(overlaid.name), hint=hint, code="patch-refused")


def _cases(package: Package) -> dict[str, Case]:
    return {case.id: case.without_origin() for case in (*package.evals, *package.unit_tests)}


def _made(change: Change) -> list[object]:
    laid = change.laid
    return [change.path, ABSENT if laid is None else digest_bytes(laid.content), laid is not None and laid.executable]
