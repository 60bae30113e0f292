"""From a command line to the workspace that it points to."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from selftune_build.engine.request import BuildRequest
from selftune_build.errors import InputError, UsageError
from selftune_build.escape import one_line
from selftune_build.graph.targets import parse_target
from selftune_build.limits import MESSAGE_CHARACTERS
from selftune_build.plugins.registry import Plugins
from selftune_build.probe import probed

if TYPE_CHECKING:
    from selftune_build.engine.load import Universe
    from selftune_build.engine.registry import Registry


class Opened(Struct, frozen=True):
    """A workspace that was read, and where the command line stands in it."""

    universe: Universe
    plugins: Plugins
    here: Path
    """The folder of `-C`, absolute."""
    place: str
    """`-C` as it was typed; empty without."""

    @property
    def registry(self) -> Registry:
        """What may be named in it."""
        return self.plugins.registry


def opened(directory: Path, words: Sequence[str], *, locked: bool = False) -> Opened:
    """Read the workspace that the words of a command line point to, seen from the folder of `-C`.

    Raises UsageError where there is no such folder or no package, InputError where the workspace cannot be read.
    """
    from selftune_build.engine.load import load_universe
    from selftune_build.reading.absent import no_package

    here = existing_folder(directory)
    start = starting_folder(here, words)
    plugins = open_plugins(start, locked=locked)
    universe = load_universe(start, registry=plugins.registry)
    if not (universe.packages or universe.broken):
        raise no_package(universe.root)
    return Opened(universe, plugins, here, typed(directory))


def say(message: str) -> None:
    """Say beside what is printed, on stderr, what the user has to know."""
    print(f"note: {one_line(message, MESSAGE_CHARACTERS)}", file=sys.stderr)


def open_plugins(start: Path, *, locked: bool = False) -> Plugins:
    """What may be named in the workspace of this folder; plugins that fail are told on stderr."""
    from selftune_build.reading.workspace import find_workspace

    return Plugins(lambda: find_workspace(start).root, say, locked=locked)


def request_for(directory: Path, targets: tuple[str, ...], agents: Sequence[str], model: str | None, **more: Any) -> BuildRequest:
    """What a command line asks of the engine; `more` are the fields that not every command has. Raises UsageError."""
    return BuildRequest(
        directory=existing_folder(directory),
        place=typed(directory),
        targets=targets,
        agents=tuple(dict.fromkeys(agents)),
        model=model,
        **more,
    )


def existing_folder(directory: Path) -> Path:
    """The folder of `-C`, absolute. Raises UsageError where there is none."""
    if not directory.is_dir():
        raise UsageError(f"there is no folder {str(directory)!r}", hint="name an existing folder after -C")
    return directory.resolve()


def typed(directory: Path) -> str:
    """`-C` as commands to type next have it; empty where it was not given."""
    return "" if directory == Path() else str(directory)


def starting_folder(directory: Path, targets: Sequence[str]) -> Path:
    """The folder that targets point to, else the current one: `selftune build there/skills/pdf` means the workspace there.

    Raises UsageError where paths lead to different workspaces.
    """
    from selftune_build.reading.workspace import find_workspace

    words = [parse_target(text) for text in targets]
    named = [directory / word.package for word in words if word.package is not None]
    for path in named:
        probed(path)
    found = {folder: find_workspace(folder) for folder in named if folder.is_dir()}
    roots = {each.root: folder for folder, each in found.items() if each.declared or not _belongs_here(folder, directory)}
    if len(roots) > 1:
        raise UsageError("the targets belong to different workspaces", hint="build each workspace on its own")
    return next(iter(roots.values()), directory)


def _belongs_here(folder: Path, directory: Path) -> bool:
    """Whether the folder is part of the workspace that is found from `directory`.

    Where no manifest declares one, the workspace is where one stands: another root would be another store, and paid twice.
    """
    from selftune_build.reading.workspace import find_workspace

    try:
        own = find_workspace(directory)
    except InputError:
        return False
    path = folder.resolve()
    return any(path == own.root / member or path in (own.root / member).parents for member in own.members)
