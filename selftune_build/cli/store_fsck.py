"""`selftune store fsck`: is everything what it claims to be."""

from __future__ import annotations

from pathlib import Path

import click

from selftune_build.cli.planning import width
from selftune_build.cli.start import open_plugins
from selftune_build.cli.store_place import store_at, store_options
from selftune_build.exits import STORE, VERIFIED


@click.command("fsck", short_help="Check every file of the store; --repair mends without deleting what was paid for.")
@click.option("--repair", "mend", is_flag=True, help="Move damaged files aside, write again what can be; delete no answer.")
@click.option("-v", "--verbose", is_flag=True, help="Notes as well: files moved aside earlier, calls in flight.")
@store_options
def command(mend: bool, verbose: bool, directory: Path, as_json: bool) -> int:
    """Check that every file of the store is whole, lies where its content says, and is what it claims to be.

    Each finding has a stable id and a severity: an error means that something paid for is lost, unusable or forged.
    Exit status: 0 no errors, or none any more; 2 bad input; 4 errors are left.
    """
    from selftune_build.engine.upkeep.caring import care
    from selftune_build.report.store_fsck import render, render_json

    root, store = store_at(directory)
    found, mended = care(root, store, open_plugins(root).registry, mend)
    print(render_json(store, found, mended) if as_json else render(store, found, mended, width(), verbose=verbose), end="")
    return STORE if found.errors else VERIFIED
