"""Which packages a change can have affected: `--since REV`.

A package is left out only where nothing that its lock depends on differs from the commit where this change began.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from selftune_build.engine.load import Universe
from selftune_build.engine.locks.files import read_package_lock
from selftune_build.engine.past.workspace import PastWorkspace, agent_files
from selftune_build.engine.siblings.competitors import competitors
from selftune_build.errors import InputError
from selftune_build.fingerprint.facets import SIDECARS, facets
from selftune_build.limits import SKILL_FILE_BYTES_MAX
from selftune_build.model.package import LOCK_FILE, MANIFEST_FILE, SKILL_FILE, Package
from selftune_build.reading.skill import read_skill
from selftune_build.revision.repository import find_repository
from selftune_build.revision.revision import open_revision


def affected(universe: Universe, revision: str) -> frozenset[str]:
    """Folders of the packages to look at. Raises UsageError for an unknown revision, UndecidedError for missing history."""
    before = PastWorkspace(universe.root, open_revision(find_repository(universe.root).root, revision).since())
    every = frozenset({*universe.names, *(broken.path for broken in universe.broken)})
    if before.changed(".", [MANIFEST_FILE]) or (universe.declared and before.members() != every):
        return every  # a package that came or went competes with all others, or did
    changes = {package.path: _changes(package, before, universe.root) for package in universe.packages}
    own = {package.path for package in universe.packages if changes[package.path] or _other_agent(package, before, universe.root)}
    around = {package.path for package in universe.packages if _feels(package, universe, before, changes)}
    return frozenset({*own, *around, *(broken.path for broken in universe.broken)})


def _changes(package: Package, before: PastWorkspace, root: Path) -> frozenset[str]:
    """Files of a package, and its lock, that are not what they were."""
    linked = {file.path: os.path.realpath(os.path.join(package.root, file.path)) for file in package.tree}
    linked = {path: real for path, real in linked.items() if real != os.path.join(os.path.realpath(package.root), path)}
    ours = {file.path for file in package.tree} - linked.keys()
    changed = before.changed(package.path, {*ours, *before.paths(package.path, package.declared or package.manifest), LOCK_FILE})
    return frozenset({*changed, *(path for path, real in linked.items() if _moved(root, real, before))})


def _other_agent(package: Package, before: PastWorkspace, root: Path) -> bool:
    return any(_moved(root, path, before) for path in agent_files(package.declared or package.manifest))


def _moved(root: Path, path: str, before: PastWorkspace) -> bool:
    """Whether a file of the repository, by an absolute path or one of the workspace, is another than it was."""
    absolute = Path(os.path.realpath(root / path))
    if not absolute.is_relative_to(before.revision.folder):
        return os.path.isabs(path)  # of what lies elsewhere nobody knows how it was
    return bool(before.revision.changed([absolute.relative_to(before.revision.folder).as_posix()]))


def _feels(package: Package, universe: Universe, before: PastWorkspace, changes: Mapping[str, frozenset[str]]) -> bool:
    """Whether a competitor changed in what every host shows of it, or in what a sample of this package was seen to read."""
    if isinstance(package.manifest.competitors, int) and any(changes.values()):
        return True  # which ones are the nearest may be another choice now
    try:
        beside = [other for other in competitors(package, universe.siblings) if changes[other.path]]
    except InputError:
        return True
    seen = _observed(package) if beside else frozenset()
    return any(
        _metadata_before(other, before) != other.facets.metadata or _read_by(seen, other, before, changes[other.path])
        for other in beside
    )


def _read_by(seen: frozenset[str], other: Package, before: PastWorkspace, changes: frozenset[str]) -> bool:
    names = {f"{other.name}:*", *(f"{other.name}:file:{path}" for path in changes)}
    if SKILL_FILE in changes:
        names.add(f"{other.name}:body")
    there = {path for path in changes if before.has(other.path, path)}
    if there != changes or any(not os.path.lexists(os.path.join(other.root, path)) for path in changes):
        names.add(f"{other.name}:listing")
    return not names.isdisjoint(seen)


def _observed(package: Package) -> frozenset[str]:
    """Everything that some row of the lock observed."""
    entries = (entry for lock in read_package_lock(package).locks for entry in lock.agents.values())
    rows = (row for entry in entries for arms in entry.cases.values() for row in arms.values())
    return frozenset(name for row in rows for name in row.observed)


def _metadata_before(package: Package, before: PastWorkspace) -> str | None:
    """The digest of what a host showed of a package; None where it was not there, or its sidecars were others."""
    content = before.revision.read(before.place(f"{package.path}/{SKILL_FILE}"), SKILL_FILE_BYTES_MAX)
    if content is None or len(content) > SKILL_FILE_BYTES_MAX or before.changed(package.path, SIDECARS):
        return None
    return facets(read_skill(content, SKILL_FILE, Path(package.root).name).skill, package.staged).metadata
