"""Faults while a store is looked after: wherever it ends, the same again succeeds, and nothing that was paid for is gone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.repository import committed
from tests.cli.storing import SAMPLES, archives, clone, keys, paid_kitchen, store
from tests.fault.workspace import INJECT, PATIENCE_S
from tests.property.workspace import Workspace

Prepare = Callable[[Workspace, Path], list[str]]
"""Make something to do for a command, and say its words."""


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a workspace with a store, committed; nothing here changes it."""
    workspace = paid_kitchen(tmp_path_factory.mktemp("paid"))
    committed(workspace.root)
    return workspace.root


def answers(workspace: Workspace) -> set[bytes]:
    return {path.read_bytes() for path in (workspace.root / ".selftune").rglob("*.zst*") if path.is_file()}


def pull(workspace: Workspace, folder: Path) -> list[str]:
    secret, public = keys(folder / "keys")
    (folder / "remote").mkdir()
    assert store(workspace, "push", str(folder / "remote"), "--key", str(secret))[0] == 0
    shutil.rmtree(workspace.root / ".selftune")
    return ["pull", str(folder / "remote"), "--trust", str(public)]


def push(workspace: Workspace, folder: Path) -> list[str]:
    secret, _ = keys(folder / "keys")
    (folder / "remote").mkdir()
    return ["push", str(folder / "remote"), "--key", str(secret)]


def repair(workspace: Workspace, folder: Path) -> list[str]:
    one, other, third, *_ = archives(workspace)
    other.write_bytes(other.read_bytes()[:99])
    one.rename(third.with_name(one.name))
    third.with_name("key.json").write_text("{}")
    for path in (workspace.root / ".selftune/records").glob("*/*.json"):
        path.write_bytes(b"x")
    return ["fsck", "--repair"]


def collect(workspace: Workspace, folder: Path) -> list[str]:
    workspace.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans well.")
    assert workspace.build().calls
    return ["gc", "--delete"]


@pytest.fixture
def workspace(paid: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(paid, tmp_path / "workspace", symlinks=True)
    return Workspace(tmp_path / "workspace", tmp_path / "ledger")


def struck(workspace: Workspace, fault: str, number: int, words: list[str]) -> tuple[int, bool]:
    """Run with a fault at the n-th change of a file: exit status, and whether it came to it."""
    folder = workspace.root.parent
    command = [sys.executable, str(INJECT), fault, str(number), "once", str(folder), "store", *words, "-C", str(workspace.root)]
    environment = {**workspace.environment, "TEST_LEDGER": str(workspace.ledger)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S * 2, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, (folder / "fired").exists()


CASES = [
    pytest.param(prepare, fault, number, id=f"{prepare.__name__}-{fault}-{number}", marks=() if often else pytest.mark.slow)
    for prepare in (pull, push, repair, collect)
    for fault, numbers in (("KILL", range(3, 80, 5)), ("ENOSPC", (3, 26, 60)))
    for number in numbers
    for often in [number in (3, 18, 26, 38)]
]
"""Some each time, the others before a release."""


@pytest.mark.parametrize(("prepare", "fault", "number"), CASES)
def test_wherever_it_ends_the_same_again_succeeds(
    workspace: Workspace, tmp_path: Path, prepare: Prepare, fault: str, number: int
) -> None:
    words = prepare(workspace, tmp_path)
    paid_for = answers(workspace)
    status, _fired = struck(workspace, fault, number, words)
    assert status in (0, 4, -9)
    status, document = store(workspace, *words)
    assert (status, document["ok"]) == (0, True)
    assert store(workspace, "fsck", "--repair")[0] == 0
    assert [each for each in store(workspace, "fsck")[1]["findings"] if each["severity"] != "note"] == []
    assert answers(workspace) >= paid_for
    if prepare is push:
        other = clone(workspace, tmp_path / "elsewhere")
        public = str(tmp_path / "keys/k.pub")
        assert store(other, "pull", str(tmp_path / "remote"), "--trust", public)[1]["taken"] == SAMPLES
    if prepare is pull:
        assert len(archives(workspace)) == SAMPLES


@pytest.mark.parametrize("prepare", [pull, push, repair])
def test_a_full_disk_is_told_with_the_path(workspace: Workspace, tmp_path: Path, prepare: Prepare) -> None:
    words = prepare(workspace, tmp_path)
    status, fired = struck(workspace, "ENOSPC", 3, [*words, "--json"])
    assert (status, fired) == (4, True)


def test_the_end_of_a_run_is_reached(workspace: Workspace, tmp_path: Path) -> None:
    """What the counting relies on: beyond its last change no fault comes."""
    status, fired = struck(workspace, "KILL", 10_000, push(workspace, tmp_path))
    assert (status, fired) == (0, False)
    assert json.loads(next((tmp_path / "remote").rglob("key.json")).read_text())["format"] == "selftune.key/1"


def test_pulls_builds_and_check_ups_at_once_do_not_harm_each_other(workspace: Workspace, tmp_path: Path) -> None:
    words = pull(workspace, tmp_path)
    for path in workspace.root.glob("*/selftune.lock"):
        path.unlink()
    environment = {**workspace.environment, "TEST_LEDGER": str(workspace.ledger)}
    commands = [["store", *words], ["build", "-y", "-j", "2"], ["store", "fsck", "--repair"], ["store", "gc", "--delete"]] * 2
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "selftune_build", *command, "-C", str(workspace.root)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in commands
    ]
    ended = [process.communicate(timeout=PATIENCE_S * 2) for process in running]
    assert [process.returncode for process in running] == [0] * len(commands), ended
    assert len(archives(workspace)) == SAMPLES
    assert store(workspace, "fsck")[1]["findings"] == []
    asked = [(line["prompt"], json.dumps(line["shown"])) for line in workspace.lines()]
    assert len(asked) == len(set(asked))
    assert workspace.build().calls == []
