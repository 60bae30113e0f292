"""Where a name stands that a manifest gives and nothing here supplies; manifests are read once more, for messages alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from selftune_build.errors import InputError
from selftune_build.model.location import Location
from selftune_build.model.package import MANIFEST_FILE
from selftune_build.reading.document import pointer_of
from selftune_build.reading.manifest import ManifestFile
from selftune_build.reading.workspace import manifest_at

_Parts = tuple[str | int, ...]


def gate_place(root: Path, own: str | None, gate: str) -> Location | None:
    """The place of a gate's name. `root`: of the workspace; `own`: path of the package's own manifest in it, if it has one.

    Own settings come before defaults; None where neither names it.
    """
    for file, above in _files(root, own):
        settings = _at(file.data, (*above, "gates"))
        if isinstance(settings, dict) and gate in settings:
            return file.document.locate_key(pointer_of((*above, "gates", gate)))
    return None


def agent_place(root: Path, own: str | None, agent: str) -> Location | None:
    """The place that names an agent, to be run or as the judge; else as `gate_place`."""
    for file, above in _files(root, own):
        for parts in _named_agents(file.data, above):
            if _at(file.data, parts) == agent:
                return file.locate(pointer_of(parts))
    return None


def waiver_place(root: Path, own: str | None, index: int) -> Location | None:
    """The place of the target of a package's waiver; None where it cannot be read."""
    file = _read(root, own) if own is not None else None
    return file.locate(f"/accepted/{index}/target") if file is not None else None


def _named_agents(data: object, above: Sequence[str | int]) -> Iterator[_Parts]:
    agents = _at(data, (*above, "agent"))
    yield from ((*above, "agent", index) for index in range(len(agents) if isinstance(agents, list) else 0))
    yield from ((*above, *parts) for parts in (("agent",), ("judge",), ("judge", "agent")))


def _files(root: Path, own: str | None) -> Iterator[tuple[ManifestFile, _Parts]]:
    """The manifests that a package has its settings from, and where in them they stand."""
    for path, above in ((own, ()), (MANIFEST_FILE, ("defaults",))):
        file = _read(root, path) if path is not None else None
        if file is not None:
            yield file, above


def _read(root: Path, path: str) -> ManifestFile | None:
    try:
        return manifest_at((root / path).parent, path)
    except InputError:
        return None


def _at(data: object, parts: Sequence[str | int]) -> object:
    for part in parts:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int):
            data = data[part]
        else:
            return None
    return data
