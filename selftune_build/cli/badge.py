"""`selftune badge`: what tree and lock say, as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from selftune_build.cli.start import opened
from selftune_build.engine.request import BuildRequest


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("targets", nargs=-1, metavar="[PACKAGE]...")
@click.option("--json", "as_json", is_flag=True, help="The JSON that badge services read, instead of a picture.")
@click.option("-C", "--directory", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="As if started there.")
def command(targets: tuple[str, ...], as_json: bool, directory: Path) -> int:
    """Print a badge (SVG) for PACKAGEs, all by default: verified or not, and by which kind of evidence.

    Judged from tree and lock alone, as by `selftune build verify --locked`; nothing is executed or written.
    Exit status: 0 printed, whatever it says; 2 bad input.
    """
    from selftune_build.engine.locked.verification import check
    from selftune_build.report.badge import endpoint, svg

    found = opened(directory, targets, locked=True)
    request = BuildRequest(directory=found.here, targets=targets, locked=True)
    report = check(found.universe, request, found.registry)
    print(endpoint(report) if as_json else svg(report), end="")
    return 0
