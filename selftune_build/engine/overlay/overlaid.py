"""A workspace with a patch laid over it: what `--overlay` builds in place of the tree."""

from __future__ import annotations

from msgspec import Struct

from selftune_build.engine.load import Universe
from selftune_build.errors import InputError
from selftune_build.fingerprint.digest import ABSENT, digest_bytes, digest_json
from selftune_build.fingerprint.disk import Disk, Laid
from selftune_build.model.case import Case
from selftune_build.model.location import Location
from selftune_build.model.package import Package
from selftune_build.model.patch import Fate
from selftune_build.model.report import Overlay


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
    candidate: str = ""
    """Digest of the candidate that it is; empty for a plain patch."""

    @property
    def digest(self) -> str:
        """Names what the files become: patches that make the same files have the same, however they are written."""
        return digest_json(sorted(map(_made, self.changes)))

    def told(self) -> Overlay:
        """What a report says of it."""
        return Overlay(self.name, self.digest, tuple((each.path, each.fate.value) for each in self.changes), self.candidate)


def refuse_other_questions(overlaid: Overlaid, universe: Universe) -> None:
    """A patch must change the answers, never what is asked or how it is judged. Raises InputError, with the first such case."""
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
