"""Packages that look as they did are not read again, and the answer is the one that reading them all would give."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.idle import Installation, age, forget, memories

WORDS = {"brew": "coffee in a pot", "bake": "bread in an oven", "press": "juice from fruit"}


def write_package(folder: Path, does: str, prompts: dict[str, bool]) -> None:
    (folder / "evals").mkdir(parents=True)
    (folder / "SKILL.md").write_text(f"---\nname: {folder.name}\ndescription: Makes {does}.\n---\n\nMake it well.\n")
    cases = [
        {"id": number, "prompt": prompt, "should_trigger": wanted} for number, (prompt, wanted) in enumerate(prompts.items())
    ]
    (folder / "evals" / "evals.json").write_text(json.dumps({"skill_name": folder.name, "evals": cases}))


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    (tmp_path / "installation").mkdir()
    return Installation(tmp_path / "installation")


@pytest.fixture
def workspace(tmp_path: Path, installation: Installation) -> Path:
    """Three packages that compete, one of which asks for what another does; built, and looked at when that was over."""
    root = tmp_path / "workspace"
    for name, does in WORDS.items():
        write_package(root / name, does, {f"Make {does}": True, "Sing a song of penguins": False})
    write_package(root / "serve", "tables ready", {"Lay the tables ready": True, f"Make {WORDS['brew']}": False})
    manifest = {"version": 1, "workspace": {"members": ["*"]}, "defaults": {"gates": {"spec": {}}}}
    (root / "selftune.yaml").write_text(json.dumps(manifest))
    installation.ask("build", "-C", str(root))
    age()
    installation.ask("build", "-C", str(root))
    assert len(memories(root)) == 1
    return root


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


EDITS: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "nothing": (lambda root: None, set()),
    "a body nobody else saw": (lambda root: edit(root / "bake/SKILL.md", "well", "better"), {"bake"}),
    "a body that a prompt of another package led to": (
        lambda root: edit(root / "brew/SKILL.md", "well", "better"),
        {"brew", "serve"},
    ),
    "a description": (lambda root: edit(root / "press/SKILL.md", "fruit", "apples"), {*WORDS, "serve"}),
    "a case": (lambda root: edit(root / "press/evals/evals.json", "song", "hymn"), {"press"}),
    "a lock": (lambda root: (root / "press/selftune.lock").unlink(), {"press"}),
    "the manifest": (lambda root: edit(root / "selftune.yaml", '"spec": {}', '"spec": {"required": false}'), {*WORDS, "serve"}),
}


@pytest.mark.parametrize("name", EDITS)
def test_after_an_edit_only_what_it_can_concern_is_read_and_the_plan_is_that_of_reading_all(
    name: str, workspace: Path, installation: Installation
) -> None:
    change, concerned = EDITS[name]
    change(workspace)
    asked = ("build", "--dry-run", "-C", str(workspace))
    status, planned, read = installation.read_by(*asked)
    assert set(read) == concerned
    forget(workspace)
    assert installation.read_by(*asked) == (status, planned, sorted({*WORDS, "serve"}))


def test_what_a_build_writes_after_an_edit_is_what_it_writes_without_memory(workspace: Path, installation: Installation) -> None:
    edit(workspace / "brew/SKILL.md", "well", "better")
    build = ("build", "-C", str(workspace))
    assert set(installation.read_by(*build)[2]) == {"brew", "serve"}
    locks = {path: path.read_bytes() for path in workspace.glob("*/selftune.lock")}
    forget(workspace)
    _, told, read = installation.read_by(*build)
    assert ("0 agent calls" in told, len(read)) == (True, 4)
    assert {path: path.read_bytes() for path in workspace.glob("*/selftune.lock")} == locks


def test_a_noop_with_memory_notes_a_state_that_watches_the_packages_it_did_not_read(
    workspace: Path, installation: Installation
) -> None:
    edit(workspace / "bake/SKILL.md", "well", "better")
    installation.ask("build", "-C", str(workspace))
    age()
    assert installation.read_by("build", "-C", str(workspace))[2] == ["bake"]
    assert installation.ask("build", "-C", str(workspace)).recalled
    edit(workspace / "press/SKILL.md", "well", "better")
    assert not installation.ask("build", "-C", str(workspace)).recalled


def test_a_memory_that_was_put_there_is_not_believed(workspace: Path, installation: Installation) -> None:
    (path,) = memories(workspace)
    path.write_bytes(path.read_bytes())
    assert len(installation.read_by("build", "--dry-run", "-C", str(workspace))[2]) == 4


@pytest.mark.parametrize("option", [("--resample", "1"), ("--failed",), ("--locked",), ("brew:replay[0]",)], ids=" ".join)
def test_who_needs_every_case_reads_every_package(option: tuple[str, ...], workspace: Path, installation: Installation) -> None:
    more = () if option == ("--locked",) else ("--dry-run",)
    assert len(installation.read_by("build", *more, *option, "-C", str(workspace))[2]) == 4
