"""Which packages a command about evals is for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from selftune_build.engine.load import Broken, Universe
from selftune_build.engine.request import BuildRequest
from selftune_build.engine.wanted import asked_for
from selftune_build.errors import UsageError
from selftune_build.graph.targets import parse_target
from selftune_build.model.package import Package
from selftune_build.reading.absent import no_package


def chosen_packages(
    universe: Universe, targets: Sequence[str], directory: Path
) -> tuple[tuple[Package, ...], tuple[Broken, ...]]:
    """The packages that are named, without names all of them, and those among them that could not be read.

    Raises UsageError where there is no package, or a target is no package.
    """
    if not (universe.packages or universe.broken):
        raise no_package(universe.root)
    for word in map(parse_target, targets):
        if word.stage is not None:
            hint = f"a folder of that name is written ./{word.text}" if word.package is None else f"name {word.package}"
            raise UsageError(f"{word.text!r} is a stage, and evals belong to packages", hint=hint)
    asked = asked_for(universe, BuildRequest(directory, targets=tuple(targets)))
    packages = tuple(package for package in universe.packages if package.path in asked)
    return packages, tuple(each for each in universe.broken if each.path in asked)


def only_package(universe: Universe, target: str | None, directory: Path) -> Package:
    """The one package that is meant. Raises UsageError where there are several, and what keeps it from being read."""
    packages, broken = chosen_packages(universe, (target,) if target else (), directory)
    if len(packages) + len(broken) != 1:
        names = ", ".join(sorted(package.handle for package in packages)[:5])
        raise UsageError(f"{len(packages)} packages could be meant: {names}", hint="name one with --package")
    for each in broken:
        raise each.error
    return packages[0]
