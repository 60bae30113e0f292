"""`selftune doctor`: which agents could be used here, and what to type where one could not."""

from __future__ import annotations

import json
from pathlib import Path

import click

from selftune_build.agents.protocol import AgentType, Diagnosis
from selftune_build.cli.start import open_plugins
from selftune_build.errors import UndecidedError
from selftune_build.exits import UNDECIDED, VERIFIED
from selftune_build.meant import did_you_mean
from selftune_build.plugins.kinds import Kind

SCHEMA = "selftune.doctor/1"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("agents", nargs=-1, metavar="[AGENT]...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(agents: tuple[str, ...], as_json: bool) -> int:
    """Look at the programs behind the agents that are installed and the commands that the workspace declares: version, login,
    what to do next. No model is asked, nothing is sent.

    Exit status: 0 every AGENT named (or, without any, at least one that is there) is ready, 3 it is not.
    """
    from selftune_build.engine.declared_agents import declared_commands
    from selftune_build.report.doctor import render

    commands = declared_commands(Path())
    supplied = tuple(name for name in agents if name not in commands)
    types = _types(supplied) if supplied or not agents else []
    found = {each.id: each.diagnose() for each in types if each.diagnose is not None}
    found |= {name: each for name, each in commands.items() if not agents or name in agents}
    ready = [diagnosis for diagnosis in found.values() if diagnosis.next_step is None]
    enough = len(ready) == len(found) if agents else bool(ready) or not found
    status = VERIFIED if enough else UNDECIDED
    print(json.dumps(_document(found, status), indent=1) if as_json else render(found))
    return status


def _types(names: tuple[str, ...]) -> list[AgentType]:
    plugins = open_plugins(Path()).installed().plugins()
    known = {offer.id: offer.supplied for plugin in plugins for offer in plugin.offers if offer.kind is Kind.AGENT}
    for name in names:
        if name not in known:
            hint = "selftune plugins list shows what is installed; the README says how plugins are"
            near = did_you_mean(name, known)
            raise UndecidedError(f"no plugin here supplies the agent {name!r}", code="agent-unavailable", hint=near or hint)
    return [known[name] for name in names or sorted(known)]


def _document(found: dict[str, Diagnosis], status: int) -> dict[str, object]:
    agents = {
        name: {
            "ready": each.next_step is None,
            "program": each.program,
            "version": each.version,
            "login": each.login,
            "problems": list(each.problems),
            "next_step": each.next_step,
        }
        for name, each in found.items()
    }
    return {"schema": SCHEMA, "ok": status == 0, "exit_code": status, "agents": agents}
