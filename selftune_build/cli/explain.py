"""`selftune explain`: why a row is stale or reused."""

from __future__ import annotations

from pathlib import Path

import click

from selftune_build.cli.planning import plan_only, planning_options, width
from selftune_build.errors import UsageError


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@planning_options
def command(
    targets: tuple[str, ...], agents: tuple[str, ...], model: str | None, as_json: bool, directory: Path, verbose: bool
) -> int:
    """Say why the rows of TARGETs are stale, input by input, or why they are reused: which observations held.

    A stale row is compared with what it depended on when it was last settled in this worktree; where it never was, with the
    row that was asked most alike. Asks no agent and writes nothing. Exit status: 0 told, 2 bad input.
    """
    from selftune_build.engine.telling.explain import explain
    from selftune_build.report.explain import render, render_json

    if not targets:
        raise UsageError("explain takes a target", hint="selftune explain 'PACKAGE:STAGE[CASE]', or a package")
    _, planned = plan_only(directory, targets, agents, model)
    told = explain(planned.groups, planned.stores.traces)
    if not told:
        raise UsageError(f"{', '.join(targets)} has no rows", hint="rows belong to unit-tests, replay and baseline")
    print(render_json(told) if as_json else render(told, width(), verbose=verbose), end="")
    return 0
