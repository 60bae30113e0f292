"""Random patches as overlays: they ask exactly what the patched tree would, and what they paid for is paid for."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.cli.repository import committed, git
from tests.property import skills
from tests.property.kitchen import manifest
from tests.property.skills import Edit, Skill
from tests.property.test_random_edits import one_process
from tests.property.workspace import Built, Run, Workspace

KINDS = ("body", "description", "page", "remove page", "spaces")
"""Edits of what an agent gets."""
OF_THE_TREE = ("prompt", "check", "add case", "body", "page", "delete samples")
"""What happens to the tree before: some rows hold, some do not."""


def world(folder: Path, run: Run, *options: str) -> Workspace:
    """The workspace, without files yet."""
    workspace = Workspace(folder / "workspace", folder / "ledger", run)
    workspace.install_agent()
    declared = manifest(deterministic=not options)
    declared["defaults"]["agents"]["house"]["argv"] += options
    declared["defaults"]["samples"] = {"min": 3}
    workspace.write("selftune.yaml", json.dumps(declared))
    workspace.write(".gitignore", ".selftune\n*.lock\n")
    return workspace


def patched(chance: Random, tree: dict[str, Skill], kinds: tuple[str, ...], number: int) -> dict[str, Skill]:
    """The tree after so many edits of these kinds."""
    for _ in range(number):
        tree = skills.edited(tree, Edit(chance.choice(kinds), *(chance.randrange(60) for _ in range(3))))
    return tree


def patch_to(workspace: Workspace, before: dict[str, Skill], after: dict[str, Skill]) -> Path:
    """What git says of the way from one tree to the other; the tree is left as it was."""
    skills.write(workspace, before)
    committed(workspace.root)
    skills.write(workspace, after)
    git(workspace.root, "add", "-A")
    file = workspace.root.parent / "patch.diff"
    git(workspace.root, "diff", "--cached", "--no-renames", f"--output={file}")
    git(workspace.root, "reset", "-q", "--hard")
    return file


def answered(built: Built) -> list[dict[str, Any]]:
    """The report without what only an overlay has: what it is compared with, and that no command to type follows."""
    packages = []
    for package in built.report["packages"]:
        gates = [gate for gate in package["gates"] if gate["id"] != "regression"]
        left_out = ("against", "next_command", "verdict")
        kept = {name: value for name, value in package.items() if name not in left_out}
        packages.append({**kept, "gates": gates, "stages": package["stages"]})
    return packages


def tried(workspace: Workspace, chance: Random) -> None:
    """One random patch: as an overlay, then in the tree."""
    before = patched(chance, skills.start(), OF_THE_TREE, 3)
    skills.write(workspace, before)
    workspace.build("--keep-going")
    if chance.random() < 0.3:
        skills.delete_samples(workspace, chance.choice(skills.PROMPTS))
    after = before
    while after == before:
        after = patched(chance, before, KINDS, 3)
    patch = patch_to(workspace, before, after)
    locks = workspace.locks()
    planned = workspace.build("--dry-run", "--overlay", str(patch))
    assert planned.calls == []
    git(workspace.root, "apply", str(patch))
    assert answered(workspace.build("--dry-run")) == answered(planned)
    git(workspace.root, "reset", "-q", "--hard")
    git(workspace.root, "clean", "-qfd")
    built = workspace.build("--keep-going", "--overlay", str(patch))
    assert built.status in (0, 1, 3), built.stderr
    assert git(workspace.root, "status", "--porcelain") == ""
    assert workspace.locks() == locks
    git(workspace.root, "apply", str(patch))
    assert workspace.build("--keep-going").calls == []
    assert planned.report["overlay"]["digest"] == built.report["overlay"]["digest"]


@pytest.mark.parametrize("seed", range(6))
def test_a_random_overlay_plans_what_the_patched_tree_plans_and_pays_for_it(seed: int, tmp_path: Path) -> None:
    chance = Random(seed)
    with one_process() as run:
        tried(world(tmp_path, run), chance)


@pytest.mark.parametrize("seed", range(20, 21))
def test_the_same_with_an_agent_that_varies(seed: int, tmp_path: Path) -> None:
    chance = Random(seed)
    with one_process() as run:
        tried(world(tmp_path, run, "--fickle"), chance)
