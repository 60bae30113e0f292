"""Which packages get a file of generated evals, and what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from msgspec import Struct

from selftune_build.engine.competitors import competitors, nearest
from selftune_build.engine.load import Broken, Universe
from selftune_build.model.package import Package
from selftune_build.scaffold.chosen import chosen_packages
from selftune_build.scaffold.drafting import Drafting, draft, render

GENERATED_FILE = "evals/generated.yaml"


class Generated(Struct, frozen=True):
    """The drafts for one package and the workspace-relative path of their file."""

    package: Package
    path: str
    drafting: Drafting


class Generation(Struct, frozen=True):
    """What is to be written, and the packages asked for that could not be read."""

    generated: tuple[Generated, ...]
    broken: tuple[Broken, ...]

    @property
    def contents(self) -> dict[str, bytes]:
        """Bytes by workspace-relative path."""
        return {each.path: render(each.drafting.drafts) for each in self.generated}


def plan_generation(universe: Universe, targets: Sequence[str], directory: Path) -> Generation:
    """Drafts for the packages that are named, without names for those that have no eval case; nothing is written.

    Raises UsageError for a target that is no package or where there is none, InputError for competitors that are not there.
    """
    packages, broken = chosen_packages(universe, targets, directory)
    chosen = [package for package in packages if targets or not package.evals]
    return Generation(tuple(_generated(package, universe) for package in chosen), broken)


def generated_path(package: Package) -> str:
    """Where the generated evals of a package lie, relative to the workspace."""
    return str(PurePosixPath(package.path) / GENERATED_FILE)


def is_read(package: Package) -> bool:
    """Whether a build of the package reads its generated evals: a manifest may name other files, or exclude this one."""
    return any(case.origin is not None and case.origin.at.path == generated_path(package) for case in package.evals)


def _generated(package: Package, universe: Universe) -> Generated:
    path = generated_path(package)
    kept = [case for case in package.evals if case.origin is None or case.origin.at.path != path]
    beside = nearest(package, competitors(package, universe.siblings))
    taken = {case.id for case in (*kept, *package.unit_tests)}
    return Generated(package, path, draft(package, beside, kept, taken))
