"""`selftune plan`: what a build would run and why, what it reuses, what it may cost."""

from __future__ import annotations

from pathlib import Path

import click

from selftune_build.cli.planning import plan_only, planning_options, width


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@planning_options
@click.option("--resample", type=click.IntRange(0), default=0, metavar="N", help="As if N more samples of each case were asked.")
@click.option("--failed", is_flag=True, help="As if only cases that failed, or have no evidence, were asked for.")
def command(
    targets: tuple[str, ...],
    agents: tuple[str, ...],
    model: str | None,
    as_json: bool,
    directory: Path,
    verbose: bool,
    resample: int,
    failed: bool,
) -> int:
    """Say what `selftune build` would run and why, what it would reuse, how many calls that is and what they may cost.

    Decides by the same code as the build, asks no agent and writes nothing; a remote that you have named is read.
    Exit status: 0 told, 2 bad input.
    """
    from selftune_build.engine.planning.forecast import forecast
    from selftune_build.report.forecast import render, render_json

    request, planned = plan_only(directory, targets, agents, model, remote=True, resample=resample, failed=failed)
    shared = planned.stores.shared
    told = forecast(planned.groups, request.repeated, shared.taken if shared is not None else ())
    print(render_json(told) if as_json else render(told, width(), verbose=verbose), end="")
    return 0
