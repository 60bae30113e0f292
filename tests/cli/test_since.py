"""`--since`: only what a change can have affected, and never less."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.repository import committed, git
from tests.property.kitchen import BREW, manifest
from tests.property.workspace import Workspace

BOTH = {"bake", "brew"}


@pytest.fixture
def kept(built: Workspace) -> Workspace:
    """The kitchen in a repository whose `main` has gone on since the branch began."""
    committed(built.root)
    git(built.root, "checkout", "-qb", "topic")
    git(built.root, "checkout", "-q", "main")
    built.write("bake/notes.md", "Of somebody else.\n")
    committed(built.root, "meanwhile")
    git(built.root, "checkout", "-q", "topic")
    return built


def looked_at(workspace: Workspace, *arguments: str) -> set[str]:
    """Names of the packages that are left."""
    return {package["name"] for package in workspace.build("--since", "main", *arguments).report["packages"]}


def nothing(workspace: Workspace) -> None:
    workspace.write("README.md", "Nobody's evidence.\n")


def body(workspace: Workspace) -> None:
    workspace.edit("bake/SKILL.md", "Preheat the oven.", "Preheat the oven well.")


def body_that_another_skill_reads(workspace: Workspace) -> None:
    workspace.edit("brew/SKILL.md", "Grind the beans.", "Grind all the beans. Grind the beans.")


def description(workspace: Workspace) -> None:
    workspace.edit("bake/SKILL.md", "Bakes bread", "Bakes good bread")


def reference(workspace: Workspace) -> None:
    workspace.edit("brew/references/water.md", "Filter", "Boil")


def new_file(workspace: Workspace) -> None:
    workspace.write("brew/references/new.md", "New.\n")


def removed_file(workspace: Workspace) -> None:
    (workspace.root / "brew/references/water.md").unlink()


def executable(workspace: Workspace) -> None:
    (workspace.root / "brew/references/water.md").chmod(0o755)


def evals(workspace: Workspace) -> None:
    workspace.evals("brew", [*BREW, {"id": "mocha", "prompt": "Make a mocha", "should_trigger": True}])


def own_manifest(workspace: Workspace) -> None:
    workspace.write("brew/selftune.yaml", "version: 1\n")


def workspace_manifest(workspace: Workspace) -> None:
    workspace.write("selftune.yaml", json.dumps(manifest()) + "\n")


def agent(workspace: Workspace) -> None:
    workspace.write("tools/agent.py", workspace.read("tools/agent.py") + "# newer\n")


def lock(workspace: Workspace) -> None:
    workspace.lock_path("brew").write_bytes(workspace.lock("brew").replace(b'"n": 1', b'"n": 2'))


def new_package(workspace: Workspace) -> None:
    workspace.skill("bottle", "Bottles lemonade.", "Rinse.")


def committed_edit(workspace: Workspace) -> None:
    reference(workspace)
    committed(workspace.root, "committed")


EDITS: list[tuple[Callable[[Workspace], None], set[str]]] = [
    (nothing, set()),
    (body, {"bake"}),
    (body_that_another_skill_reads, BOTH),
    (description, BOTH),
    (reference, {"brew"}),
    (committed_edit, {"brew"}),
    (new_file, {"brew"}),
    (removed_file, {"brew"}),
    (executable, {"brew"}),
    (evals, {"brew"}),
    (own_manifest, {"brew"}),
    (lock, {"brew"}),
    (workspace_manifest, BOTH),
    (agent, BOTH),
    (new_package, {*BOTH, "bottle"}),
]


@pytest.mark.parametrize(("edit", "expected"), EDITS, ids=[edit.__name__ for edit, _ in EDITS])
def test_packages_that_the_edit_can_have_affected_are_looked_at(
    kept: Workspace, edit: Callable[[Workspace], None], expected: set[str]
) -> None:
    edit(kept)
    assert looked_at(kept, "--locked") == expected
    assert looked_at(kept, "--dry-run") == expected


def test_a_link_to_a_file_elsewhere_in_the_repository_is_followed(kept: Workspace) -> None:
    kept.write("shared/style.md", "Short.\n")
    (kept.root / "brew/style.md").symlink_to("../shared/style.md")
    kept.build()
    committed(kept.root, "a link")
    git(kept.root, "branch", "-qf", "main")
    assert looked_at(kept, "--locked") == set()
    kept.write("shared/style.md", "Long.\n")
    assert looked_at(kept, "--locked") == {"brew"}


def test_where_nothing_is_affected_there_is_nothing_to_refuse(kept: Workspace) -> None:
    status, stdout, _ = kept.selftune("build", "--locked", "--since", "main", "-C", str(kept.root))
    assert (status, stdout.splitlines()[-1].startswith("pass")) == (0, True)
    assert "no package was selected" in stdout


def test_a_build_pays_for_affected_packages_alone(kept: Workspace) -> None:
    reference(kept)
    kept.write("selftune.yaml", kept.read("selftune.yaml"))
    built = kept.build("--since", "main")
    assert ({package["name"] for package in built.report["packages"]}, built.status) == ({"brew"}, 0)


def test_a_target_that_is_not_affected_is_left_out_and_one_that_does_not_exist_is_refused(kept: Workspace) -> None:
    reference(kept)
    assert looked_at(kept, "--locked", "bake") == set()
    status, _, stderr = kept.selftune("build", "nowhere", "--since", "main", "-C", str(kept.root))
    assert (status, "nowhere" in stderr) == (2, True)


def test_a_package_that_cannot_be_read_is_never_left_out(kept: Workspace) -> None:
    kept.write("bake/selftune.yaml", "version: 1\nsampels: 3\n")
    checked = kept.build("--locked", "--since", "main")
    assert (checked.status, {package["name"] for package in checked.report["packages"]}) == (2, {"bake"})


def test_without_a_repository_nothing_is_decided(built: Workspace, tmp_path: Path) -> None:
    status, _, stderr = built.selftune("build", "--locked", "--since", "main", "-C", str(built.root))
    assert (status, "is in no git repository" in stderr) == (3, True)
