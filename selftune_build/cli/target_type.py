"""Targets as a type of the command line, for the shells that complete them."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem


class TargetType(click.ParamType[str]):
    """A target; what it names is looked up later, with the workspace."""

    name = "TARGET"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word as it is."""
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Stages and packages of the workspace one stands in, and the stages of a package that is typed already."""
        from selftune_build.graph.targets import Stage

        package, colon, _ = incomplete.rpartition(":")
        start = f"{package}{colon}"
        words = [f"{start}{stage}" for stage in Stage] + ([] if colon else _packages(ctx))
        return [CompletionItem(word) for word in words if word.startswith(incomplete)]


def _packages(ctx: click.Context) -> list[str]:
    """Folder names of the packages; none where the workspace cannot be read: a completion never fails."""
    from selftune_build.errors import SelftuneError
    from selftune_build.reading.workspace import find_workspace

    try:
        members = find_workspace(Path(ctx.params.get("directory") or ".")).members
    except (SelftuneError, OSError):
        return []
    return [member.rpartition("/")[2] for member in members if member != "."]
