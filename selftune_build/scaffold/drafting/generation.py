"""Which packages get a file of generated cases, and what is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath

from msgspec import Struct

from selftune_build.engine.load import Universe
from selftune_build.engine.siblings.competitors import competitors, nearest
from selftune_build.errors import UndecidedError
from selftune_build.model.case import Case
from selftune_build.model.package import Package
from selftune_build.scaffold.drafting.drafts import Rejection

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
