"""Packages that did not change since a build had nothing to do for them: what was said of them stands for their cases.

What is said of a package depends on its own files and on what is looked at for all of them, which the memory of the store
watches, and on other packages: on how all are named and shown, and on what its samples observed of those staged beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from selftune_build.engine.load import Said, Standards, Universe, by_its_own, load_universe, seen_by_others
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.registry import Registry
from selftune_build.engine.request import BuildRequest
from selftune_build.fingerprint.digest import ABSENT, digest_json
from selftune_build.fingerprint.staged import facet_names, facet_record
from selftune_build.model.package import MANIFEST_FILE, Package
from selftune_build.model.report import PackageReport
from selftune_build.store.location import find_store
from selftune_build.store.memory import NO_MEMORY, Memory, note_memory, recall_memory
from selftune_build.store.state import name_of
from selftune_build.store.trail import Trail
from selftune_build.store.watchlist import Watched


class Remembered(Struct, frozen=True, array_like=True):
    """A package without its cases and its body, what was said of it, and what of other packages that depends on."""

    package: Package
    built: msgspec.Raw
    """Encoded: only one of the two is wanted."""
    planned: msgspec.Raw
    """The same for a plan that nobody runs."""
    beside: str
    """Digest of how all packages of the workspace are named and shown."""
    observed: dict[str, str]
    """What its samples observed of packages beside it, with the digests."""

    def said(self, *, dry: bool) -> tuple[Said, ...]:
        """The reports for this kind of invocation."""
        said: tuple[Said, ...] = _said_decoder().decode(self.planned if dry else self.built)
        return said

    def fits(self, beside: str, today: Mapping[str, str]) -> bool:
        """Whether all that it depends on of other packages is so today."""
        return self.beside == beside and all(today.get(name, ABSENT) == digest for name, digest in self.observed.items())


@cache
def _said_decoder() -> msgspec.msgpack.Decoder[tuple[Said, ...]]:
    return msgspec.msgpack.Decoder(tuple[Said, ...])


@cache  # making it takes as long as reading many packages
def _decoder() -> msgspec.msgpack.Decoder[Remembered]:
    return msgspec.msgpack.Decoder(Remembered)


class Recalled(Struct):
    """What an invocation remembers of its workspace, and under which name; no name where every package is needed whole."""

    name: str | None = None
    root: Path = Path()
    memory: Memory = NO_MEMORY
    known: dict[str, Remembered] = {}
    """By folder relative to the workspace."""

    @property
    def anchor(self) -> str:
        """The manifest of the workspace."""
        return str(self.root / MANIFEST_FILE)

    def look_up(self, root: Path, request: BuildRequest) -> dict[str, Package]:
        """The packages that look as they did, once the root is known."""
        name = _name(request, root)
        if name is not None and self.name is None:
            self.name, self.root = name, root
            self.memory = recall_memory(find_store(root), name, self.anchor)
            self.known = _decoded(self.memory)
        return {folder: each.package for folder, each in self.known.items()}

    def watched(self) -> list[Watched]:
        """Everything that what is remembered depends on."""
        entries = self.memory.entries
        return [self.memory.shared, *(entries[each.package.root].watched for each in self.known.values())] if self.known else []

    def worth_keeping(self, contents: Mapping[str, Callable[[], bytes | None]]) -> dict[str, bytes]:
        """What there is to remember of packages, by their absolute folders."""
        if self.name is None:
            return {}
        return {folder: content for folder, encode in contents.items() if (content := encode()) is not None}

    def note(self, trail: Trail, found: Mapping[str, bytes]) -> None:
        """Remember that beside what is remembered already. Never raises."""
        if self.name is None or not found:
            return
        kept = {each.package.root: self.memory.entries[each.package.root] for each in self.known.values()}
        note_memory(find_store(self.root), self.name, self.anchor, trail, Memory(self.memory.shared, kept), found)


def load_remembering(
    start: Path, request: BuildRequest, registry: Registry, standards: Standards = by_its_own, *, whole: bool = False
) -> tuple[Universe, Recalled]:
    """Read the workspace, but for what did not change since it was remembered; `whole`: all of it. Raises as `load_universe`."""
    recalled = Recalled()
    if whole:
        return load_universe(start, registry=registry, standards=standards), recalled
    while True:
        universe = load_universe(
            start, registry=registry, standards=standards, known=lambda root: recalled.look_up(root, request)
        )
        beside, today = _beside(universe), _today(universe.packages)
        refused = {folder for folder, each in recalled.known.items() if not each.fits(beside, today)}
        if not refused:
            told = {folder: each.said(dry=request.dry_run) for folder, each in recalled.known.items()}
            return replace(universe, told=told), recalled
        recalled.known = {folder: each for folder, each in recalled.known.items() if folder not in refused}


def encoded(universe: Universe, runs: Sequence[PackageRun], built: Sequence[Said], planned: Sequence[Said]) -> bytes | None:
    """A package under all its agents as it is remembered; None where reading it back would give anything else."""
    if len({package.name for package in universe.packages}) < len(universe.packages):
        return None  # an observed name could be that of either
    package = seen_by_others(runs[0].package)
    observed = {name: digest for run in runs for name, digest in _observed(run).items()}
    try:
        said = [msgspec.Raw(msgspec.msgpack.encode(each)) for each in (built, planned)]
        content = msgspec.msgpack.encode(Remembered(package, said[0], said[1], _beside(universe), observed))
        back = _decoder().decode(content)
        same = (back.package, back.observed, back.said(dry=False), back.said(dry=True))
        return content if same == (package, observed, tuple(built), tuple(planned)) else None
    except (TypeError, ValueError, OverflowError):
        return None


def in_order(packages: Iterable[Package], said: Mapping[str, Sequence[Said]]) -> list[PackageReport]:
    """The reports of all packages by agent, in the order in which the packages name them."""
    groups: dict[str, list[PackageReport]] = {}
    for package in packages:
        for group, report in said.get(package.path, ()):
            groups.setdefault(group, []).append(report)
    return [report for reports in groups.values() for report in reports]


def _name(request: BuildRequest, root: Path) -> str | None:
    """Equal for invocations to which the same is said of the same package."""
    asked_otherwise = request.locked or request.resample or request.failed or request.against or request.transcripts
    if asked_otherwise or request.groups > 1 or request.first_sample or any("[" in word for word in request.targets):
        return None
    alike = replace(request, dry_run=False, assume_yes=False, jobs=1, max_calls=None, max_cost=None, base="", among=None)
    return name_of(str(root), repr(alike))


def _decoded(memory: Memory) -> dict[str, Remembered]:
    found: dict[str, Remembered] = {}
    for entry in memory.entries.values():
        with suppress(msgspec.DecodeError):
            each = _decoder().decode(entry.content)
            found[each.package.path] = each
    return found


def _beside(universe: Universe) -> str:
    """Digest of what of all packages can matter to any: where they are, how they are named, what a host shows of them."""
    shown = [[package.path, package.name, package.handle, package.facets.metadata] for package in universe.packages]
    return digest_json([shown, [broken.path for broken in universe.broken]])


def _observed(run: PackageRun) -> dict[str, str]:
    """Digests of today of what the rows observed of other packages; of all that are staged where samples were looked at, too."""
    own, today = f"{run.package.name}:", run.asking.with_skill.today
    if any(run.evidence.was_asked(spec) for spec in run.specs):
        return {name: digest for name, digest in today.items() if not name.startswith(own)}
    names = {name for plan in run.plans if plan.row is not None for name in plan.row.observed if not name.startswith(own)}
    return {name: today.get(name, ABSENT) for name in sorted(names)}


def _today(packages: Iterable[Package]) -> dict[str, str]:
    names: dict[str, str] = {}
    for package in packages:
        names.update(facet_names(package.name, facet_record(package.facets)))
    return names
