"""`selftune init`: adopt the skill packages that are here already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from selftune_build import advice
from selftune_build.cli.start import open_plugins, typed
from selftune_build.engine.load import Universe, load_universe
from selftune_build.escape import one_line
from selftune_build.limits import MESSAGE_CHARACTERS, SHOWN_PATHS
from selftune_build.model.package import Package
from selftune_build.report.document import envelope
from selftune_build.scaffold.adopt import Adoption, plan_adoption
from selftune_build.scaffold.missing import Missing, missing
from selftune_build.scaffold.overview import overview
from selftune_build.scaffold.writing import Written, write_together
from selftune_build.wording import counted


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), default=Path())
@click.option("--force", is_flag=True, help="Make an existing workspace manifest anew.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(directory: Path, force: bool, as_json: bool) -> int:
    """Find skill packages and eval files in DIRECTORY, write the manifests that are needed, say what is missing."""
    registry = open_plugins(directory).registry
    adoption = plan_adoption(directory, force=force, registry=registry)
    written = write_together(adoption.universe.root, adoption.contents, force=force, extended=adoption.extended)
    universe = load_universe(adoption.universe.root, registry=registry)  # as a build will see it: with the manifests just written
    if as_json:
        print(_document(directory, adoption, universe, written))
    else:
        print("\n".join(one_line(line, MESSAGE_CHARACTERS) for line in _lines(directory, adoption, universe, written)))
    return 0


def _next_command(directory: Path, universe: Universe) -> str:
    """A build, as soon as there is anything to measure."""
    bare = universe.packages and not any(package.evals or package.unit_tests for package in universe.packages)
    words = ("eval generate",) if bare else ("build", "verify")
    return advice.command(*words, place=typed(directory))


def _lines(directory: Path, adoption: Adoption, universe: Universe, written: Written) -> Iterator[str]:
    count = len(universe.packages) + len(universe.broken)
    yield f"found {counted(count, 'skill package')} in {universe.root}"
    yield from (f"wrote {path}" for path in written.made)
    yield from (f"{'added to' if path in adoption.extended else 'replaced'} {path}" for path in written.replaced)
    if not adoption.contents:
        yield "nothing to write: everything is here already"
    yield from _packages_lines(universe.packages, adoption)
    for broken in universe.broken:
        yield f"{broken.path}: cannot be read: {broken.error.message}" + (f" (at {broken.error.at})" if broken.error.at else "")
        yield f"  fix: {broken.error.hint or 'mend the file'}"
    for stray in adoption.strays:
        yield f"{stray}: is no member of the workspace"
        yield "  fix: add it under `members:` in selftune.yaml, or --force makes that file anew"
    yield f"next: {_next_command(directory, universe)}"


def _packages_lines(packages: Sequence[Package], adoption: Adoption) -> Iterator[str]:
    """Each package with what it lacks; of many, only those that there is something to say about."""
    seen = overview({package.path: missing(package, adoption.unnamed.get(package.path)) for package in packages})
    shown = [package for package in packages if seen.own[package.path] or package.evals or package.unit_tests]
    if len(packages) <= SHOWN_PATHS:
        shown = list(packages)
    for package in shown:
        has = f"{counted(len(package.evals), 'eval')}, {counted(len(package.unit_tests), 'unit test')}"
        yield f"{package.path}: {package.name}, {has}"
        yield from _lack_lines(seen.own[package.path])
    if len(shown) < len(packages):
        yield f"{len(packages) - len(shown)} more have neither evals nor unit tests and no fault"
    for lack in seen.shared:
        yield f"missing in {lack.packages} packages: {lack.what}"
        yield f"  fix: {lack.fix}"


def _lack_lines(lacks: Sequence[Missing]) -> Iterator[str]:
    for lack in lacks:
        yield f"  missing: {lack.message}"
        yield f"    fix: {lack.fix}"


def _document(directory: Path, adoption: Adoption, universe: Universe, written: Written) -> str:
    return envelope(
        "selftune.init/1",
        0,
        root=str(universe.root),
        written=list(written.made),
        overwritten=list(written.replaced),
        packages=[_package_document(package, adoption) for package in universe.packages],
        unreadable=[{"path": broken.path, "message": broken.error.message} for broken in universe.broken],
        not_members=list(adoption.strays),
        next_command=_next_command(directory, universe),
    )


def _package_document(package: Package, adoption: Adoption) -> dict[str, Any]:
    lacks = missing(package, adoption.unnamed.get(package.path))
    return {
        "name": package.name,
        "path": package.path,
        "evals": len(package.evals),
        "unit_tests": len(package.unit_tests),
        "missing": [{"message": lack.message, "fix": lack.fix} for lack in lacks],
    }
