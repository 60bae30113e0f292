"""`selftune status`: how far every package is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from selftune_build.cli.planning import plan_only, planning_options, width


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@planning_options
def command(
    targets: tuple[str, ...], agents: tuple[str, ...], model: str | None, as_json: bool, directory: Path, verbose: bool
) -> int:
    """Say how far each package is on its way to being published, and the one command that takes the next step.

    Judges by tree and lock alone; the age of the evidence and the models that served it are those of the samples in the
    store. Asks no agent and writes nothing. Exit status: 0 told, 2 bad input.
    """
    from selftune_build.engine.telling.status import statuses
    from selftune_build.report.status import render, render_json

    told = statuses(*plan_only(directory, targets, agents, model))
    print(render_json(told) if as_json else render(told, datetime.now(UTC), width()), end="")
    return 0
