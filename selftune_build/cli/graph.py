"""`selftune graph`: what depends on what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from selftune_build.cli.planning import plan_only
from selftune_build.errors import UsageError

if TYPE_CHECKING:
    from selftune_build.engine.load import Universe
    from selftune_build.graph.chart import Chart, Side


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--format", "form", type=click.Choice(["dot", "mermaid", "json"]), default="dot", help="What to print.")
@click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
@click.option("--focus", metavar="TARGET", help="Only this target, what it depends on and what depends on it.")
@click.option("--dependencies", metavar="TARGET", help="Only this target and what it depends on.")
@click.option("--dependents", metavar="TARGET", help="Only this target and what depends on it.")
@click.option("--affected", is_flag=True, help="Only what is stale and what waits for it.")
@click.option("-C", "--directory", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="As if started there.")
def command(
    form: str,
    as_json: bool,
    focus: str | None,
    dependencies: str | None,
    dependents: str | None,
    affected: bool,
    directory: Path,
) -> int:
    """Print the graph of the workspace: targets, what they need, and whose description an agent is shown beside them.

    A TARGET is written as for `selftune build`; PACKAGE:metadata is the description that other packages compete with.
    Edges lead from what is needed to who needs it. Asks no agent and writes nothing. Exit status: 0 told, 2 bad input.
    """
    from selftune_build.engine.telling.charting import charted
    from selftune_build.report.chart import FORMATS

    if sum(map(bool, (focus, dependencies, dependents, affected))) > 1:
        raise UsageError("--focus, --dependencies, --dependents and --affected exclude each other", hint="give one of them")
    _, planned = plan_only(directory, (), (), None)
    whole = charted(planned.universe, [run for runs in planned.groups for run in runs])
    if affected:
        from selftune_build.graph.chart import affected as only_affected

        whole = only_affected(whole)
    narrowing: tuple[tuple[str | None, Side], ...] = (
        (focus, "around"),
        (dependencies, "dependencies"),
        (dependents, "dependents"),
    )
    for text, side in narrowing:
        if text:
            whole = _narrowed(whole, text, side, planned.universe)
    print(FORMATS["json" if as_json else form](whole), end="")
    return 0


def _narrowed(whole: Chart, text: str, side: Side, universe: Universe) -> Chart:
    from selftune_build.engine.telling.charting import focused
    from selftune_build.graph.chart import narrowed

    return narrowed(whole, focused(text, universe, [node.id for node in whole.nodes]), side)
