"""What the verbs below `selftune store` share: which store is meant, and the words they all take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from selftune_build.cli.start import existing_folder

_Command = TypeVar("_Command", bound=Callable[..., Any])


def store_options(command: _Command) -> _Command:
    """`-C` and `--json`."""
    for option in (
        click.option(
            "-C", "--directory", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="As if started there."
        ),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
    ):
        command = option(command)
    return command


def store_at(directory: Path) -> tuple[Path, Path]:
    """The root of the workspace at `-C` and its store, which may not be there yet. Raises SelftuneError."""
    from selftune_build.reading.workspace import find_workspace
    from selftune_build.store.location import existing_store

    root = find_workspace(existing_folder(directory)).root
    return root, existing_store(root)
