"""`selftune plugins`: what is installed beside the tool, what it supplies, and a new plugin to start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from selftune_build.cli.start import open_plugins
from selftune_build.errors import UsageError
from selftune_build.escape import one_line
from selftune_build.exits import UNDECIDED, VERIFIED
from selftune_build.limits import MESSAGE_CHARACTERS
from selftune_build.plugins.kinds import API_VERSION, GROUP, HOOKS, Kind
from selftune_build.report.document import envelope

_FOLDER = click.Path(file_okay=False, path_type=Path)
_SCHEMA = "selftune.plugins/1"


@click.group(help="What is installed beside the tool, and a new plugin to start from.")
def command() -> None:
    """The verbs below `selftune plugins`."""


@command.command("list")
@click.option("-C", "--directory", type=_FOLDER, default=Path(), help="Run as if started there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_plugins(directory: Path, as_json: bool) -> int:
    """Every plugin with version and what it supplies; what is built in first. Imports the plugins that are installed."""
    from selftune_build.plugins.installed import shadowed
    from selftune_build.plugins.plugin import built_in

    installed = open_plugins(directory).installed()
    plugins = installed.plugins()
    shown = [_described(plugin) for plugin in (built_in(), *plugins)]
    refused = [_refused(each) for each in installed.refused()]
    notes = shadowed(plugins)
    if as_json:
        print(envelope(_SCHEMA, 0, api=API_VERSION, plugins=shown, refused=refused, notes=notes))
    else:
        print("\n".join(one_line(line, MESSAGE_CHARACTERS) for line in _list_lines(shown, refused, notes)))
    return 0


@command.command("info")
@click.argument("name")
@click.option("-C", "--directory", type=_FOLDER, default=Path(), help="Run as if started there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def info(name: str, directory: Path, as_json: bool) -> int:
    """One plugin whole: where it lies, each thing it supplies and how that is named, what failed (then exit status 3)."""
    from selftune_build.plugins.plugin import built_in
    from selftune_build.plugins.trust import normal

    installed = open_plugins(directory).installed()
    described = {each["name"]: each for each in (_described(plugin) for plugin in (built_in(), *installed.plugins()))}
    refused = {each["name"]: each for each in map(_refused, installed.refused())}
    found = described.get(normal(name)) or refused.get(normal(name))
    if found is None:
        raise UsageError(f"there is no plugin {name!r}", hint="selftune plugins list")
    status = UNDECIDED if found.get("faults") or "reason" in found else VERIFIED
    if as_json:
        print(envelope(_SCHEMA, status, api=API_VERSION, plugin=found))
    else:
        print("\n".join(one_line(line, MESSAGE_CHARACTERS) for line in _info_lines(found)))
    return status


@command.command("new")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), required=True, help="What the plugin supplies.")
@click.argument("name")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), default=Path())
@click.option("--force", is_flag=True, help="Replace the files that this command writes; everything else stays.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def new(kind: str, name: str, directory: Path, force: bool, as_json: bool) -> int:
    """Write a distribution selftune-KIND-NAME into DIRECTORY: project, code that works, tests that pass, README."""
    from selftune_build.plugins.scaffold import distribution_files, distribution_name, next_commands
    from selftune_build.scaffold.writing import write_together

    contents = distribution_files(Kind(kind), name)
    root = directory / distribution_name(Kind(kind), name)
    written = write_together(root, contents, force=force)
    commands = next_commands(Kind(kind), root)
    if as_json:
        paths = sorted((*written.made, *written.replaced))
        print(envelope(_SCHEMA, 0, path=str(root), written=paths, next_commands=commands))
    else:
        lines = [f"wrote {len(contents)} files to {root}", *(f"  {path}" for path in sorted(contents))]
        lines += ["next:", *(f"  {command}" for command in commands)]
        print("\n".join(one_line(line, MESSAGE_CHARACTERS) for line in lines))
    return 0


def _described(plugin: Any) -> dict[str, Any]:
    supplies = [{"kind": offer.kind.value, "id": offer.id, "summary": offer.summary} for offer in plugin.offers]
    return {
        "name": plugin.supplier.name,
        "version": plugin.supplier.version,
        "built_in": not plugin.supplier.version,
        "location": plugin.location,
        "supplies": supplies,
        "faults": list(plugin.faults),
    }


def _refused(each: Any) -> dict[str, Any]:
    return {"name": each.name, "version": each.version, "location": each.location, "reason": each.reason}


def _list_lines(shown: list[dict[str, Any]], refused: list[dict[str, Any]], notes: list[str]) -> Iterator[str]:
    for plugin in shown:
        yield f"{plugin['name']} {plugin['version'] or '(built in)'}"
        for kind in Kind:
            ids = [each["id"] for each in plugin["supplies"] if each["kind"] == kind]
            if ids:
                yield f"  {kind.value:<8} {', '.join(ids)}"
        yield from (f"  failed   {fault}" for fault in plugin["faults"])
    for each in refused:
        yield f"{each['name']} {each['version']} is not used: {each['reason']} ({each['location']})"
    yield from (f"note: {note}" for note in notes)
    if len(shown) == 1:
        yield f"no other distribution offers entry points in the group {GROUP}"


def _info_lines(plugin: dict[str, Any]) -> Iterator[str]:
    yield f"{plugin['name']} {plugin['version'] or '(built in)'}"
    yield f"  location {plugin['location']}"
    if "reason" in plugin:
        yield f"  not used: {plugin['reason']}"
        return
    for each in plugin["supplies"]:
        summary = f": {each['summary']}" if each["summary"] else ""
        yield f"  {each['kind']:<8} {each['id']}{summary}"
    yield from (f"  failed   {fault}" for fault in plugin["faults"])
    yield f"  hooks    {', '.join(HOOKS[kind] for kind in Kind if any(each['kind'] == kind for each in plugin['supplies']))}"
