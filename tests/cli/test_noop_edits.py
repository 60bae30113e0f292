"""Whatever is edited after a state was noted, the next answer is that of a run without one."""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.idle import Installation, age, copies, forget
from tests.property.workspace import Workspace

Edit = Callable[[Path], object]


@pytest.fixture(scope="module")
def linked_kitchen(built_kitchen: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kitchen with links: to a file, to a folder beside the packages, and a script that is not executable."""
    root = tmp_path_factory.mktemp("linked") / "workspace"
    shutil.copytree(built_kitchen / "workspace", root, symlinks=True)
    (root / "shared").mkdir()
    (root / "shared" / "oven.md").write_text("Heat it.\n")
    (root / "shared" / "grill.md").write_text("Burn it.\n")
    (root / ".git").mkdir()
    (root / "brew/references/drink.md").symlink_to("milk.md")
    (root / "bake/references").symlink_to("../shared")
    (root / "bake/scripts").mkdir()
    (root / "bake/scripts/oven.sh").write_text("true\n")
    assert Workspace(root, root.parent / "ledger").build().status == 0
    return root


def keeping_times(path: Path, content: bytes) -> None:
    """Other bytes with the size and the modification time of before."""
    before = path.stat()
    assert len(content) == before.st_size, path
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def swapped(path: Path, old: str, new: str) -> None:
    content = path.read_bytes()
    assert old.encode() in content, path
    keeping_times(path, content.replace(old.encode(), new.encode(), 1))


def replaced(path: Path, old: str, new: str) -> None:
    """As editors save: another file takes the place."""
    temporary = path.parent.parent / "temporary"
    temporary.write_text(path.read_text().replace(old, new))
    times = path.stat()
    os.utime(temporary, ns=(times.st_atime_ns, times.st_mtime_ns))
    temporary.rename(path)


def written(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def moved_and_linked(path: Path) -> None:
    """The files keep inode and times, only the way to them is another."""
    path.rename(path.with_name("away"))
    path.symlink_to("away")


def relinked(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


EDITS: dict[str, Edit] = {
    "a body, size and time as before": lambda root: swapped(root / "brew/SKILL.md", "Grind", "Crush"),
    "a description, size and time as before": lambda root: swapped(root / "bake/SKILL.md", "bread", "toast"),
    "a reference, size and time as before": lambda root: swapped(root / "brew/references/milk.md", "Steam", "Boils"),
    "a check, size and time as before": lambda root: swapped(root / "brew/evals/evals.yaml", "Steam", "Froth"),
    "the agent, size and time as before": lambda root: swapped(root / "tools/agent.py", "nothing to offer", "something to say"),
    "a lock, size and time as before": lambda root: swapped(root / "brew/selftune.lock", '"n": 1', '"n": 2'),
    "the manifest, size and time as before": lambda root: swapped(root / "selftune.yaml", '"min": 0.0', '"min": 0.9'),
    "a body replaced by another file": lambda root: replaced(root / "brew/SKILL.md", "Grind", "Crush"),
    "an executable bit": lambda root: (root / "bake/scripts/oven.sh").chmod(0o755),
    "a new file": lambda root: written(root / "brew/references/tea.md", "Leaves.\n"),
    "a new folder": lambda root: written(root / "brew/assets/a/b.txt", "b\n"),
    "a file removed": lambda root: (root / "brew/references/water.md").unlink(),
    "a file renamed": lambda root: (root / "brew/references/water.md").rename(root / "brew/references/wasser.md"),
    "a lock removed": lambda root: (root / "bake/selftune.lock").unlink(),
    "a new member": lambda root: written(root / "bun/SKILL.md", "---\nname: bun\ndescription: Sells buns.\n---\nSell.\n"),
    "a member removed": lambda root: shutil.rmtree(root / "bake"),
    "a member behind a link": lambda root: moved_and_linked(root / "brew"),
    "a link that leads elsewhere": lambda root: relinked(root / "brew/references/drink.md", "water.md"),
    "a link that leads nowhere": lambda root: relinked(root / "brew/references/drink.md", "nowhere.md"),
    "a link to a folder that leads elsewhere": lambda root: relinked(root / "bake/references", "../brew/references"),
    "what a link leads to": lambda root: swapped(root / "shared/oven.md", "Heat", "Cool"),
    "a file more in a folder behind a link": lambda root: written(root / "shared/fan.md", "Blow.\n"),
    "a manifest in a package": lambda root: written(root / "brew/selftune.yaml", "version: 1\nexclude: ['evals/**']\n"),
    "a repository inside of the workspace": lambda root: (root / "bake/.git").mkdir(),
    "samples removed": lambda root: shutil.rmtree(root / ".selftune/samples"),
    "nothing but a file that is no part of a package": lambda root: written(root / "brew/__pycache__/a.pyc", "a"),
}
SILENT = {"nothing but a file that is no part of a package"}
"""Edits after which the answer is the same; without samples it tells no times and tokens."""


def check(kitchen: Path, folder: Path, sequences: list[list[str]]) -> dict[str, bool]:
    """Each sequence of edits on a noted workspace and on a twin without a state; whether the answer changed by it."""
    installation = Installation(folder)
    workspaces, twins = (copies(kitchen, folder / name, len(sequences)) for name in ("noted", "twins"))
    age()
    installation.build_each([*workspaces, *twins])
    before = installation.build_each(workspaces)
    assert all(recalled for _, _, recalled in before)
    for twin in twins:
        forget(twin)
    for place, names in (*zip(workspaces, sequences, strict=True), *zip(twins, sequences, strict=True)):
        for name in names:
            EDITS[name](place)
    ours, theirs = installation.build_each(workspaces), installation.build_each(twins)
    for names, our, their in zip(sequences, ours, theirs, strict=True):
        assert (our[0], untimed(our[1])) == (their[0], untimed(their[1])), names
    return {" + ".join(names): untimed(ours[each][1]) != untimed(before[each][1]) for each, names in enumerate(sequences)}


def untimed(document: str) -> str:
    """A report without what two builds in two folders cannot share: how long samples took, and the name of the folder."""
    return re.sub(r"\b(noted|twins)\b", "folder", re.sub(r'"seconds": [0-9.]+', '"seconds": 0', document))


def test_some_edits_are_noticed(linked_kitchen: Path, tmp_path: Path) -> None:
    check(linked_kitchen, tmp_path, [[name] for name in list(EDITS)[::6]])


@pytest.mark.slow
def test_every_edit_is_noticed(linked_kitchen: Path, tmp_path: Path) -> None:
    changed = check(linked_kitchen, tmp_path, [[name] for name in EDITS])
    assert {name for name, is_changed in changed.items() if not is_changed} == SILENT


@pytest.mark.slow
def test_no_pair_of_edits_hides_another(linked_kitchen: Path, tmp_path: Path) -> None:
    chance = random.Random(11)
    names = [name for name in EDITS if name not in ("a member removed", "a member behind a link")]
    pairs = [chance.sample(names, 2) for _ in range(30)]
    check(linked_kitchen, tmp_path, [pair for pair in pairs if are_apart(*pair)])


def are_apart(first: str, second: str) -> bool:
    """Whether both can be done to one workspace: not both about one file."""
    words = ("lock", "manifest", "body", "file renamed", "file removed", "repository", "link")
    return first != second and not any(word in first and word in second for word in words) and "body" not in first + second


def test_a_manifest_above_makes_another_workspace(built_kitchen: Path, tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    (workspace,) = copies(built_kitchen / "workspace", tmp_path / "noted", 1)
    (workspace / "selftune.yaml").unlink()
    package = workspace / "brew"
    (package / "selftune.yaml").write_text("version: 1\ngates: {trigger-recall: {min: 0.0}, task-pass-rate: {min: 0.0}}\n")
    assert installation.ask("build", "-q", "-C", str(package)).status in (0, 1, 3)
    age()
    installation.ask("build", "-q", "-C", str(package))
    assert installation.ask("build", "-q", "-C", str(package)).recalled
    (workspace / "selftune.yaml").write_text("version: 1\nworkspace: {members: ['b*']}\n")
    assert not installation.ask("build", "-q", "-C", str(package)).recalled
