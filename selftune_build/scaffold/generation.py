"""Which packages get a file of generated cases, and what is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from msgspec import Struct

from selftune_build.engine.competitors import competitors, nearest
from selftune_build.engine.load import Broken, Universe
from selftune_build.engine.request import BuildRequest
from selftune_build.engine.wanted import asked_for
from selftune_build.errors import UndecidedError, UsageError
from selftune_build.graph.targets import parse_target
from selftune_build.model.case import Case
from selftune_build.model.package import Package
from selftune_build.reading.absent import no_package
from selftune_build.scaffold.drafts import Rejection

EVALS_FILE = "evals/generated.yaml"
TESTS_FILE = "tests/generated.yaml"


class Situation(Struct, frozen=True):
    """What is drafted for: a package, what is offered beside it, and the cases that stay."""

    package: Package
    path: str
    """Workspace-relative path of the file to write."""
    siblings: tuple[Package, ...]
    """The likeliest to be confused first."""
    existing: tuple[Case, ...]
    """Cases in other files."""
    taken: frozenset[str]
    """Their ids."""


class Generated(Struct, frozen=True):
    """What was drafted for one package."""

    package: Package
    path: str
    content: bytes
    """The file; empty where nothing is to be written."""
    counts: dict[str, int]
    says: str
    """The counts in words."""
    notes: tuple[str, ...] = ()
    rejected: tuple[Rejection, ...] = ()


class Undrafted(Struct, frozen=True):
    """A package that nothing could be drafted for, and why."""

    package: Package
    error: UndecidedError


class Generation(Struct, frozen=True):
    """What was drafted, and the packages that nothing could be drafted for."""

    generated: tuple[Generated, ...] = ()
    undrafted: tuple[Undrafted, ...] = ()

    @property
    def contents(self) -> dict[str, bytes]:
        """Bytes by workspace-relative path."""
        return {each.path: each.content for each in self.generated if each.content}


def chosen_packages(
    universe: Universe, targets: Sequence[str], directory: Path, lacks: Callable[[Package], bool]
) -> list[Package]:
    """The packages that are named, without names those that lack cases.

    Raises UsageError for a target that is no package or where there is none.
    """
    asked = _asked(universe, targets, directory)
    return [package for package in universe.packages if package.path in asked and (targets or lacks(package))]


def broken_packages(universe: Universe, targets: Sequence[str], directory: Path) -> tuple[Broken, ...]:
    """The packages asked for that could not be read."""
    asked = _asked(universe, targets, directory)
    return tuple(each for each in universe.broken if each.path in asked)


def situations(universe: Universe, packages: Sequence[Package], file: str) -> Iterator[Situation]:
    """What is drafted for, each package's `file` left out of account. Raises InputError for competitors that are not there."""
    for package in packages:
        path = generated_path(package, file)
        kept = [case for case in (*package.evals, *package.unit_tests) if case.origin is None or case.origin.at.path != path]
        beside = tuple(nearest(package, competitors(package, universe.siblings)))
        yield Situation(package, path, beside, tuple(kept), frozenset(case.id for case in kept))


def generate(found: Sequence[Situation], draft: Callable[[Situation], Generated]) -> Generation:
    """Drafts for each package; where one cannot be decided the others still get theirs. Nothing is written."""
    generated: list[Generated] = []
    undrafted: list[Undrafted] = []
    for each in found:
        try:
            generated.append(draft(each))
        except UndecidedError as error:
            undrafted.append(Undrafted(each.package, error))
    return Generation(tuple(generated), tuple(undrafted))


def generated_path(package: Package, file: str) -> str:
    """Where the generated file of a package lies, relative to the workspace."""
    return str(PurePosixPath(package.path) / file)


def is_read(package: Package, path: str) -> bool:
    """Whether a build of the package reads this file of cases: a manifest may name other files, or exclude this one."""
    return any(case.origin is not None and case.origin.at.path == path for case in (*package.evals, *package.unit_tests))


def _asked(universe: Universe, targets: Sequence[str], directory: Path) -> frozenset[str]:
    if not (universe.packages or universe.broken):
        raise no_package(universe.root)
    for word in map(parse_target, targets):
        if word.stage is not None:
            hint = f"a folder of that name is written ./{word.text}" if word.package is None else f"name {word.package}"
            raise UsageError(f"{word.text!r} is a stage, and cases are written for packages", hint=hint)
    return asked_for(universe, BuildRequest(directory, targets=tuple(targets)))
