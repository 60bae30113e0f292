"""`selftune show`: one case whole."""

from __future__ import annotations

from pathlib import Path

import click

from selftune_build.cli.start import opened
from selftune_build.cli.target_type import TargetType
from selftune_build.engine.request import BuildRequest
from selftune_build.exits import UNDECIDED, VERIFIED


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("targets", nargs=-1, type=TargetType(), metavar="PACKAGE:STAGE[CASE]...")
@click.option("--agent", "agents", multiple=True, metavar="NAME", help="Of this agent, not the manifest's; may be repeated.")
@click.option("--model", metavar="NAME", help="Of this model instead of the manifest's.")
@click.option("--no-exec", is_flag=True, help="Do not run the commands of checks.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-C", "--directory", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="As if started there.")
@click.option("-v", "--verbose", is_flag=True, help="Every line of long texts.")
def command(
    targets: tuple[str, ...],
    agents: tuple[str, ...],
    model: str | None,
    no_exec: bool,
    as_json: bool,
    directory: Path,
    verbose: bool,
) -> int:
    """Show cases whole: prompt, each sample's transcript, the files it left, each check with its evidence.

    Asks no agent and writes nothing. Exit status: 0 shown, 2 no such case, 3 there is no sample of it in this store.
    """
    from selftune_build.engine.telling.show import show

    found = opened(directory, targets)
    request = BuildRequest(
        directory=found.here,
        place=found.place,
        targets=targets,
        agents=tuple(dict.fromkeys(agents)),
        model=model,
        no_exec=no_exec,
    )
    cases = show(found.universe, request, found.registry)
    if as_json:
        from selftune_build.report.show_json import render as render_json

        print(render_json(cases), end="")
    else:
        from selftune_build.report.show import render

        print(render(cases, verbose=verbose, place=request.repeated), end="")
    return VERIFIED if all(case.samples for case in cases) else UNDECIDED
