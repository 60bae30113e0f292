"""What a patch may touch: files that an agent gets, and nothing that decides about them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from selftune_build.checks.graders import grader_files
from selftune_build.engine.load import Universe, is_eval_file
from selftune_build.engine.past.workspace import files_of_agents, is_left_out
from selftune_build.fingerprint.tree import is_staged
from selftune_build.model.package import LOCK_FILE, MANIFEST_FILE, SKILL_FILE, Package, TreeFile
from selftune_build.model.patch import Fate

_JUDGES_ITSELF = "a candidate must not change what it is judged by"


def refusal(universe: Universe, path: str, fate: Fate) -> str | None:
    """Why a patch may not touch a file of the workspace, None where it may."""
    name = PurePosixPath(path).name
    if name == LOCK_FILE:
        return "it is a lock, which builds alone write"
    if name == MANIFEST_FILE:
        return f"it is a manifest (gates, samples, policy): {_JUDGES_ITSELF}"
    owners = [(package, inside) for package in universe.packages if (inside := _inside(package.path, path)) is not None]
    if not owners:
        return _unread(universe, path) or "it belongs to no package of this workspace"
    return next(_faults(universe, owners, name, fate), None) or _judging(universe, path)


def _unread(universe: Universe, path: str) -> str | None:
    broken = next((each for each in universe.broken if _inside(each.path, path) is not None), None)
    return None if broken is None else f"its package cannot be read as it stands: {broken.error.message}"


def _faults(universe: Universe, owners: list[tuple[Package, str]], name: str, fate: Fate) -> Iterator[str]:
    for package, inside in owners:
        if is_left_out(inside, package.manifest.exclude):
            yield f"it is no part of the package {package.handle}"
        if not is_staged(inside, is_eval_file(package.manifest)):
            yield f"it belongs to the evals or tests of {package.handle}: {_JUDGES_ITSELF}"
    roots = {package.path for package, inside in owners if inside == SKILL_FILE}
    if name == SKILL_FILE and fate is not Fate.CHANGED and (roots or universe.declared):
        yield "an overlay neither makes nor removes packages"


def _judging(universe: Universe, path: str) -> str | None:
    """The case or agent whose program it is."""
    for package in universe.packages:
        inside = _inside(package.path, path)
        for case in (*package.evals, *package.unit_tests) if inside is not None else ():
            named = [file for check in case.checks for file in check.files]
            if inside is not None and grader_files([TreeFile(inside, "", 0)], named):
                return f"it judges {package.handle}[{case.id}]: {_JUDGES_ITSELF}"
        manifest = package.declared or package.manifest
        if path in files_of_agents(manifest, manifest.agents):
            return f"it is part of an agent of {package.handle}: {_JUDGES_ITSELF}"
    return None


def _inside(folder: str, path: str) -> str | None:
    if folder == ".":
        return path
    return path[len(folder) + 1 :] if path.startswith(f"{folder}/") else None
