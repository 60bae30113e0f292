"""`selftune eval convert`: the cases of a package in the format of another tool."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from selftune_build.cli.start import opened
from selftune_build.errors import UsageError
from selftune_build.escape import one_line
from selftune_build.limits import MESSAGE_CHARACTERS
from selftune_build.report.document import envelope
from selftune_build.scaffold.converting import FORMATS, convert
from selftune_build.store.atomic import write_atomic


@click.command("convert", short_help="Write the cases of a package in the format of another tool.")
@click.argument("format_", metavar="FORMAT", type=click.Choice(FORMATS))
@click.option("--out", "file", metavar="FILE", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where.")
@click.option("--package", "target", metavar="PACKAGE", help="The package, where there is more than one.")
@click.option("--force", is_flag=True, help="Replace FILE where it is there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-C", "--directory", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="As if started there.")
def command(format_: str, file: Path, target: str | None, force: bool, as_json: bool, directory: Path) -> int:
    """Write the eval cases of a package as FORMAT: evals.json (as skill-creator reads it) or trigger-set. What the format cannot
    say is named.

    Exit status: 0 written, 2 bad input or a file in the way, 4 not written.
    """
    from selftune_build.scaffold.chosen import only_package

    found = opened(directory, (target,) if target else ())
    package = only_package(found.universe, target, found.here)
    if os.path.lexists(file) and not force:
        raise UsageError(f"{file} is there already; nothing was written", hint="--force replaces it")
    if not file.absolute().parent.is_dir():
        raise UsageError(f"{file} cannot be written: its folder is not there", hint="make the folder first")
    converted = convert(format_, package, package.evals)
    write_atomic(file, converted.content)
    if as_json:
        losses = [{"case": loss.case, "message": loss.message} for loss in converted.losses]
        told = {"file": str(file), "format": format_, "cases": converted.cases, "losses": losses}
        print(envelope("selftune.eval-convert/1", 0, **told))
        return 0
    print(one_line(f"wrote {file}: {converted.cases} of {len(package.evals)} cases as {format_}", MESSAGE_CHARACTERS))
    for loss in converted.losses:
        print(one_line(f"  {loss.case}: {loss.message}", MESSAGE_CHARACTERS), file=sys.stderr)
    return 0
