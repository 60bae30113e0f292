"""What `plan`, `explain`, `graph` and `status` share: the words of their command line, and a plan that runs nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from selftune_build.cli.remote import looking
from selftune_build.cli.start import opened, request_for, say
from selftune_build.cli.target_type import TargetType
from selftune_build.engine.request import BuildRequest

if TYPE_CHECKING:
    from selftune_build.engine.planning.invocation import Planned

_Command = TypeVar("_Command", bound=Callable[..., Any])


def planning_options(command: _Command) -> _Command:
    """The options that all of them take."""
    for option in (
        click.option("-v", "--verbose", is_flag=True, help="Everything there is to say."),
        click.option(
            "-C", "--directory", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="As if started there."
        ),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
        click.option("--model", metavar="NAME", help="Of this model instead of the manifest's."),
        click.option(
            "--agent", "agents", multiple=True, metavar="NAME", help="Of this agent, not the manifest's; may be repeated."
        ),
        click.argument("targets", nargs=-1, type=TargetType(), metavar="[TARGET]..."),
    ):
        command = option(command)
    return command


def plan_only(
    directory: Path, targets: tuple[str, ...], agents: tuple[str, ...], model: str | None, *, remote: bool = False, **more: Any
) -> tuple[BuildRequest, Planned]:
    """Load and plan, as a dry run does; with `remote` also with what the remote of this user has. Raises SelftuneError."""
    from selftune_build.engine.planning.invocation import plan

    request = request_for(directory, targets, agents, model, dry_run=True, **more)
    found = opened(directory, targets)
    shared = looking(found.universe.root, say) if remote else None
    return request, plan(found.universe, request, found.registry, shared)


def width() -> int:
    """Cells of the terminal, 100 where there is none."""
    return shutil.get_terminal_size((100, 24)).columns
