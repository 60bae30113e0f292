"""`selftune eval export`: what was measured, as skill-creator keeps it."""

from __future__ import annotations

from pathlib import Path

import click

from selftune_build.cli.start import opened, typed
from selftune_build.escape import one_line
from selftune_build.exits import UNDECIDED, VERIFIED
from selftune_build.limits import MESSAGE_CHARACTERS
from selftune_build.report.document import envelope


@click.command("export", short_help="Write what was measured as skill-creator's viewer opens it.")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--package", "target", metavar="PACKAGE", help="The package, where there is more than one.")
@click.option("--agent", metavar="NAME", help="Of this agent, not the manifest's.")
@click.option("--model", metavar="NAME", help="Of this model instead of the manifest's.")
@click.option("--force", is_flag=True, help="Replace files that are there; everything else stays.")
@click.option("--no-exec", is_flag=True, help="Do not run the commands of checks.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-C", "--directory", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="As if started there.")
def command(
    folder: Path,
    target: str | None,
    agent: str | None,
    model: str | None,
    force: bool,
    no_exec: bool,
    as_json: bool,
    directory: Path,
) -> int:
    """Write the samples that count for a package into DIR: a folder for each run with its outputs, grading.json and timing.json,
    then benchmark.json, benchmark.md and trigger_results.json. No agent is asked.

    Exit status: 0 written, 2 bad input or a file in the way, 3 there is no sample, 4 not written.
    """
    from selftune_build.advice import command as advised
    from selftune_build.engine.request import BuildRequest
    from selftune_build.engine.telling.exported import exported_cases
    from selftune_build.report.skill_creator import workspace
    from selftune_build.scaffold.chosen import only_package
    from selftune_build.scaffold.writing import write_together

    found = opened(directory, (target,) if target else ())
    package = only_package(found.universe, target, found.here)
    request = BuildRequest(directory=found.here, agents=(agent,) if agent else (), model=model, no_exec=no_exec)
    shown = exported_cases(found.universe, package, request, found.registry)
    samples = sum(sample.counts for case in shown for sample in case.samples)
    written: tuple[str, ...] = ()
    if samples:
        done = write_together(folder.absolute(), workspace(package.name, package.path, shown), force=force)
        written = (*done.made, *done.replaced)
    status = VERIFIED if samples else UNDECIDED
    if as_json:
        print(envelope("selftune.eval-export/1", status, folder=str(folder), samples=samples, written=sorted(written)))
    elif samples:
        print(one_line(f"wrote {len(written)} files to {folder}: {samples} samples of {package.handle}", MESSAGE_CHARACTERS))
    else:
        following = advised("build", package.handle, place=typed(directory))
        print(one_line(f"there is no sample of {package.handle} in this store; next: {following}", MESSAGE_CHARACTERS))
    return status
