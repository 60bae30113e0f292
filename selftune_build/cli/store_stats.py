"""`selftune store stats`: what was spent, and what the store holds."""

from __future__ import annotations

from pathlib import Path

import click

from selftune_build.cli.planning import width
from selftune_build.cli.start import open_plugins
from selftune_build.cli.store_place import store_at, store_options


@click.command("stats", short_help="What was spent, by agent, package and month, and what the store holds.")
@store_options
def command(directory: Path, as_json: bool) -> int:
    """Tell what was spent, by agent, package and month, and how much the store holds.

    Every sample and every failed attempt counts. What an agent did not price is told as a number of calls, never as nothing.
    Exit status: 0 told, 2 bad input, 4 the store cannot be read.
    """
    from selftune_build.engine.upkeep.holders import package_of
    from selftune_build.report.store_stats import render, render_json
    from selftune_build.store.figures import figures

    root, store = store_at(directory)
    found = figures(store, package_of(root, store, open_plugins(root).registry))
    print(render_json(found) if as_json else render(found, width()), end="")
    return 0
