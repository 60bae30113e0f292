"""`--locked` over many packages in two processes: each reads one half of them, sees of the other what packages see of each other,
and judges its own.

The first half is judged here, and whatever the other process does not bring about is done here as well: reports, errors and their
order are those of one process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from selftune_build.engine.load import Said, Universe, load_members, seen_by_others
from selftune_build.engine.locked.verification import judged
from selftune_build.engine.registry import Registry
from selftune_build.engine.request import BuildRequest
from selftune_build.limits import PACKAGES_FOR_TWO
from selftune_build.model.package import Package
from selftune_build.model.report import PackageReport
from selftune_build.reading.workspace import find_workspace
from selftune_build.twin import Line, TwinLost, twin


class _Told(Mapping[str, tuple[Said, ...]]):
    """What is said of packages, by folder, as soon as somebody asks for it."""

    def __init__(self, folders: Sequence[str], ask: Callable[[], Sequence[PackageReport]]) -> None:
        self._folders = dict.fromkeys(folders)
        self._ask = ask
        self._said: dict[str, tuple[Said, ...]] | None = None

    def __getitem__(self, folder: str) -> tuple[Said, ...]:
        if self._said is None:
            self._said = dict.fromkeys(self._folders, ())
            for report in self._ask():
                self._said[report.path] = (*self._said[report.path], (report.agent, report))
        return self._said[folder]

    def __contains__(self, folder: object) -> bool:
        return folder in self._folders

    def __iter__(self) -> Iterator[str]:
        return iter(self._folders)

    def __len__(self) -> int:
        return len(self._folders)


def load_in_halves(start: Path, request: BuildRequest, registry: Registry) -> Universe:
    """The whole workspace; where it is large, what is said of the second half of it is `told`. Raises as `load_universe`."""
    workspace = find_workspace(start)
    if len(workspace.members) < PACKAGES_FOR_TWO or not workspace.declared:
        return Universe.of(workspace, *load_members(workspace, workspace.members, registry=registry))
    middle = (len(workspace.members) + 1) // 2
    ours, theirs = workspace.members[:middle], workspace.members[middle:]

    def report(beside: Sequence[Package], packages: Sequence[Package]) -> list[PackageReport]:
        told = _Told([each.path for each in beside], list)
        return judged(Universe.of(workspace, [*beside, *packages], told=told), request, registry)

    def work(line: Line) -> None:
        packages, broken = load_members(workspace, theirs, registry=registry)
        if not broken:
            beside = line.hear()
            line.tell([seen_by_others(each) for each in packages])
            line.tell(report(beside, packages))

    line = twin(work)
    if line is None:
        return Universe.of(workspace, *load_members(workspace, workspace.members, registry=registry))
    packages, broken = load_members(workspace, ours, registry=registry)
    beside = [seen_by_others(each) for each in packages]
    try:
        line.tell(beside)
        others: list[Package] = line.hear()
    except TwinLost:
        line.hang_up()
        packages_there, broken_there = load_members(workspace, theirs, registry=registry)
        return Universe.of(workspace, [*packages, *packages_there], [*broken, *broken_there])

    def ask() -> list[PackageReport]:
        try:
            return list(line.hear())
        except TwinLost:
            return report(beside, load_members(workspace, theirs, registry=registry)[0])
        finally:
            line.hang_up()

    return Universe.of(workspace, [*packages, *others], broken, told=_Told([each.path for each in others], ask))
