"""`selftune eval noise`: the same bytes in both arms."""

from __future__ import annotations

import os
import shutil
import sys
from decimal import Decimal
from pathlib import Path

import click

from selftune_build.cli.paying import BUDGET, confirm, with_options
from selftune_build.cli.signals import interruptible
from selftune_build.cli.start import opened, request_for
from selftune_build.engine.request import Surroundings
from selftune_build.limits import NOISE_SAMPLES
from selftune_build.report.progress import Progress


@click.command("noise", short_help="An A/A run: how often the gates tell the same bytes apart.")
@click.argument("targets", nargs=-1, metavar="[PACKAGE]...")
@click.option(
    "--samples",
    type=click.IntRange(1, NOISE_SAMPLES),
    metavar="N",
    help="Samples of each case in each arm; samples.min of the manifest.",
)
@click.option("--agent", "agents", multiple=True, metavar="NAME", help="Of this agent, not the manifest's; may be repeated.")
@click.option("--model", metavar="NAME", help="Of this model instead of the manifest's.")
@click.option("-j", "--jobs", type=click.IntRange(1, 256), default=None, help="Samples taken at the same time.")
@click.option("--no-exec", is_flag=True, help="Refuse to run code of the package.")
@with_options(*BUDGET)
def command(
    targets: tuple[str, ...],
    samples: int | None,
    agents: tuple[str, ...],
    model: str | None,
    jobs: int | None,
    max_calls: int | None,
    max_cost: Decimal | None,
    assume_yes: bool,
    no_exec: bool,
    as_json: bool,
    directory: Path,
) -> int:
    """Compare each PACKAGE with itself: two groups of samples of the same bytes, judged as if they were two versions.

    Says how often gates and comparisons fire on nothing but noise. Takes only the samples that the store does not have, says
    the price first, and writes no lock. Exit status: 0 measured, 2 bad input, 3 nothing could be measured, 4 store problem.
    """
    from selftune_build.engine.noise import measure_noise
    from selftune_build.report.noise import render, render_json

    request = request_for(
        directory,
        targets,
        agents,
        model,
        no_exec=no_exec,
        assume_yes=assume_yes,
        jobs=jobs or os.cpu_count() or 1,
        max_calls=max_calls,
        max_cost=max_cost,
    )
    found = opened(directory, targets)
    progress = Progress(sys.stderr, quiet=as_json)
    around = Surroundings(progress=progress, confirm=confirm, registry=found.registry)
    with interruptible(around.stop, around.cancel, progress.urgent):
        noise = measure_noise(found.universe, request, around, samples)
    print(render_json(noise) if as_json else render(noise, shutil.get_terminal_size((100, 24)).columns), end="")
    return noise.exit_code
