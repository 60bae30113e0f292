"""`selftune audit`: run a random part of the locks again, and compare."""

from __future__ import annotations

import os
import shutil
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

from selftune_build.cli.paying import BUDGET, confirm, with_options
from selftune_build.cli.signals import interruptible
from selftune_build.cli.start import existing_folder, open_plugins, starting_folder
from selftune_build.cli.target_type import TargetType
from selftune_build.engine.request import BuildRequest, Surroundings
from selftune_build.report.progress import Progress


class Share(click.ParamType[Decimal]):
    """A part of the rows: more than nothing, at most all."""

    name = "SHARE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """The share as a decimal; fails the way click does."""
        try:
            share = Decimal(str(value))
        except InvalidOperation:
            self.fail(f"{value!r} is not a number", param, ctx)
        if not (share.is_finite() and 0 < share <= 1):
            self.fail(f"{value!r} is not more than 0 and at most 1", param, ctx)
        return share


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("targets", nargs=-1, type=TargetType(), metavar="[TARGET]...")
@click.option(
    "--fraction", type=Share(), default="0.1", show_default=True, metavar="SHARE", help="Part of the rows to run again."
)
@click.option("--nonce", metavar="HEX", help="Repeat this draw, or go on with it; without, a new one nobody can prepare for.")
@click.option("-j", "--jobs", type=click.IntRange(1, 256), default=None, help="Samples taken at the same time.")
@click.option("--dry-run", is_flag=True, help="Show the draw and its price; run nothing.")
@click.option("--no-exec", is_flag=True, help="Refuse to run code of the package.")
@with_options(*BUDGET)
def command(
    targets: tuple[str, ...],
    fraction: Decimal,
    nonce: str | None,
    jobs: int | None,
    dry_run: bool,
    max_calls: int | None,
    max_cost: Decimal | None,
    assume_yes: bool,
    no_exec: bool,
    as_json: bool,
    directory: Path,
) -> int:
    """Run a random part of the rows of the locks again, and say whether what is locked could be honest.

    For maintainers: a lock that holds proves that evidence and text belong together, not that the runs took place. Takes as many
    fresh samples of each drawn row as the lock counts, in a store of their own: no lock, no tree and no other sample changes.

    Exit status: 0 nothing speaks against the lock, 1 refuted, or a lock does not hold and nothing was run; 2 bad input; 3 could
    not decide; 4 store problem; 130 interrupted (the same --nonce goes on).
    """
    from selftune_build.engine.auditing.audit import Wish, audit
    from selftune_build.engine.auditing.draw import checked_nonce, new_nonce
    from selftune_build.engine.load import load_universe
    from selftune_build.report.audit import render, render_json

    request = BuildRequest(
        directory=existing_folder(directory),
        place="" if directory == Path() else str(directory),
        targets=targets,
        dry_run=dry_run,
        no_exec=no_exec,
        assume_yes=assume_yes,
        jobs=jobs or os.cpu_count() or 1,
        max_calls=max_calls,
        max_cost=max_cost,
    )
    wish = Wish(fraction, checked_nonce(nonce) if nonce is not None else new_nonce())
    start = starting_folder(request.directory, targets)
    registry = open_plugins(start).registry
    progress = Progress(sys.stderr, quiet=as_json)
    around = Surroundings(progress=progress, confirm=confirm, registry=registry)
    universe = load_universe(start, registry=registry)
    if not dry_run:
        print(f"nonce {wish.nonce}", file=sys.stderr, flush=True)  # now: who is cut off has to know it to go on
    with interruptible(around.stop, around.cancel, progress.urgent):
        done = audit(universe, request, around, wish)
    width = shutil.get_terminal_size((100, 24)).columns
    print(render_json(done) if as_json else render(done, width, request.place), end="")
    return done.exit_code
