"""`selftune store gc`: what nobody needs any more, priced before it goes."""

from __future__ import annotations

import os
from pathlib import Path

import click

from selftune_build.cli.planning import width
from selftune_build.cli.start import existing_folder, open_plugins
from selftune_build.cli.store_place import store_at, store_options
from selftune_build.errors import UsageError


@click.command("gc", short_help="What no lock of any ref, stash or worktree needs, and its price; --delete deletes it.")
@click.option("--delete", is_flag=True, help="Delete it; without, nothing is changed.")
@click.option("--paid", is_flag=True, help="Also what was paid for and no lock needs; takes --older-than.")
@click.option("--older-than", "days", type=click.IntRange(0), metavar="DAYS", help="Of what was paid for, only what is older.")
@click.option(
    "--also",
    multiple=True,
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Another repository that uses this store; may be repeated.",
)
@click.option("--alone", is_flag=True, help="No other repository uses the store that $SELFTUNE_STORE names.")
@store_options
def command(
    delete: bool, paid: bool, days: int | None, also: tuple[Path, ...], alone: bool, directory: Path, as_json: bool
) -> int:
    """Tell what no lock of any ref, stash or worktree needs, and what having it again would cost; --delete deletes it.

    What was paid for stays unless --paid --older-than DAYS is said. Where it cannot be told whether a lock needs a sample, it
    stays. Exit status: 0 told or done, 2 bad input, 3 a repository cannot be read whole, 4 not deleted.
    """
    from selftune_build.engine.upkeep.collecting import collect
    from selftune_build.report.store_gc import render, render_json
    from selftune_build.store.sweeping import sweep

    if paid != (days is not None):
        raise UsageError("--paid and --older-than belong together", hint="such as --paid --older-than 90")
    if delete and os.environ.get("SELFTUNE_STORE") and not (also or alone):
        hint = "name them with --also DIR, or say --alone where there are none"
        raise UsageError("other repositories may use the store that $SELFTUNE_STORE names", hint=hint)
    root, store = store_at(directory)
    others = [existing_folder(folder) for folder in also]
    found = collect(root, store, open_plugins(root).registry, others, days)
    gone = sweep(store, found.garbage) if delete else None
    print(render_json(store, found, gone) if as_json else render(store, found, gone, width()), end="")
    return 0
