"""`selftune eval list`: every case that was read, as it was understood."""

from __future__ import annotations

from pathlib import Path

import click

from selftune_build.cli.start import opened
from selftune_build.exits import BAD_INPUT, VERIFIED


@click.command("list", short_help="Show every eval case that was read, and what was noticed on the way.")
@click.argument("targets", nargs=-1, metavar="[PACKAGE]...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-C", "--directory", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="As if started there.")
def command(targets: tuple[str, ...], as_json: bool, directory: Path) -> int:
    """Show every eval case and unit test that was read: id, format, prompt, whether the skill should trigger, checks; and what
    could not be read. Nothing is run.

    Exit status: 0 shown, 2 bad input.
    """
    from selftune_build.report import case_list
    from selftune_build.scaffold.chosen import chosen_packages

    found = opened(directory, targets)
    packages, broken = chosen_packages(found.universe, targets, found.here)
    status = BAD_INPUT if broken else VERIFIED
    if as_json:
        print(case_list.document(packages, broken, status))
    else:
        print("\n".join(case_list.lines(packages, broken)))
    return status
