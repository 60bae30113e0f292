"""The verbs that the predecessor had below `create`, each thin: the same targets, under their old names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from selftune_build.exits import REFUSED, VERIFIED
from selftune_build.model.package import SKILL_FILE

_Command = TypeVar("_Command", bound=Callable[..., Any])
_MODE = click.option(
    "--mode", type=click.Choice(["routing", "package"]), help="Accepted as before; here each case says how far its run goes."
)


def add_verbs(group: click.Group) -> None:
    """Add them to `selftune create`."""
    for verb in (status, check, replay, baseline, report, publish):
        group.add_command(verb)


def _shared(command: _Command) -> _Command:
    """What each of them takes."""
    path = click.option("--skill-path", required=True, type=click.Path(path_type=Path), help="The package, or its SKILL.md.")
    return path(click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command))


_AGENT = click.option("--agent", metavar="NAME", help="Agent to run, instead of the manifest's.")


@click.command(short_help="How far a package is: selftune status PACKAGE.")
@_shared
def status(skill_path: Path, as_json: bool) -> int:
    """How far the package is, and the one command to type next; exit status 0 whatever it is."""
    return _delegate("status", [_package(skill_path)], as_json)


@click.command(short_help="The same, and exit status 1 unless it is ready to publish.")
@_shared
def check(skill_path: Path, as_json: bool) -> int:
    """How far the package is; exit status 0 if it is ready to publish, else 1."""
    from selftune_build.cli.planning import plan_only, width
    from selftune_build.engine.telling.status import statuses
    from selftune_build.model.status import Readiness
    from selftune_build.report.status import render, render_json

    told = statuses(*plan_only(Path(), (_package(skill_path),), (), None))
    exit_code = VERIFIED if all(each.state is Readiness.READY_TO_PUBLISH for each in told) else REFUSED
    print(render_json(told, exit_code) if as_json else render(told, datetime.now(UTC), width()), end="")
    return exit_code


@click.command(short_help="Run its cases with the skill: selftune build PACKAGE:replay.")
@_shared
@_AGENT
@_MODE
def replay(skill_path: Path, as_json: bool, agent: str | None, mode: str | None) -> int:
    """Bring the replay of the package up to date."""
    return _delegate("build", ["replay", _package(skill_path)], as_json, agent)


@click.command(short_help="Run its cases without the skill: selftune build PACKAGE:baseline.")
@_shared
@_AGENT
@_MODE
def baseline(skill_path: Path, as_json: bool, agent: str | None, mode: str | None) -> int:
    """Bring the baseline of the package up to date."""
    return _delegate("build", ["baseline", _package(skill_path)], as_json, agent)


@click.command(short_help="Verify it and say everything: selftune build verify PACKAGE -v.")
@_shared
@_AGENT
def report(skill_path: Path, as_json: bool, agent: str | None) -> int:
    """Verify the package and print the whole report."""
    return _delegate("build", ["verify", _package(skill_path), *([] if as_json else ["-v"])], as_json, agent)


@click.command(short_help="Publish it: selftune publish PACKAGE.")
@_shared
@click.option("--watch", is_flag=True, help="Name the command that watches the published skill; this is the default.")
@click.option("--ignore-watch-alerts", is_flag=True, help="Accepted as before; publishing never waits for a watch.")
def publish(skill_path: Path, as_json: bool, watch: bool, ignore_watch_alerts: bool) -> int:
    """Publish the package."""
    return _delegate("publish", [_package(skill_path)], as_json)


def _package(path: Path) -> str:
    """The folder of a package, also by its SKILL.md; a name that is no path stays one."""
    folder = path.parent if path.name == SKILL_FILE else path
    return str(folder) if "/" in str(folder) or not folder.is_dir() else f"./{folder}"


def _delegate(command: str, words: list[str], as_json: bool, agent: str | None = None) -> int:
    """Run the command of that name, in this process."""
    from importlib import import_module

    options = [*(["--json"] if as_json else []), *(["--agent", agent] if agent is not None else [])]
    found = import_module(f"selftune_build.cli.{command}").command
    status_ = found.main(args=[*words, *options], prog_name=f"selftune {command}", standalone_mode=False)
    return status_ if isinstance(status_, int) else 0
