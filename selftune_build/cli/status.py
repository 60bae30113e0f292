"""`selftune status`: how far every package is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from selftune_build.cli.planning import plan_only, planning_options, width
from selftune_build.cli.remote import state


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@planning_options
def command(
    targets: tuple[str, ...], agents: tuple[str, ...], model: str | None, as_json: bool, directory: Path, verbose: bool
) -> int:
    """Say how far each package is on its way to being published, and the one command that takes the next step.

    Judges by tree and lock alone; the age of the evidence and the models that served it are those of the samples in the
    store. Asks no agent and writes nothing. A remote that you have named is asked once whether it is there.
    Exit status: 0 told, 2 bad input.
    """
    from selftune_build.engine.telling.status import statuses
    from selftune_build.report.status import render, render_json

    request, planned = plan_only(directory, targets, agents, model)
    told, remote = statuses(request, planned), state(planned.universe.root)
    print(render_json(told, remote=remote) if as_json else render(told, datetime.now(UTC), width(), remote), end="")
    return 0
