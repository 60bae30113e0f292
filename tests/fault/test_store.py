"""A store that several commands work on at once."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.repository import committed
from tests.cli.storing import SAMPLES, archives, keys, paid_kitchen, store
from tests.fault.workspace import PATIENCE_S
from tests.property.workspace import Workspace


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a workspace with a store, committed; nothing here changes it."""
    workspace = paid_kitchen(tmp_path_factory.mktemp("paid"))
    committed(workspace.root)
    return workspace.root


def pull(workspace: Workspace, folder: Path) -> list[str]:
    secret, public = keys(folder / "keys")
    (folder / "remote").mkdir()
    assert store(workspace, "push", str(folder / "remote"), "--key", str(secret))[0] == 0
    shutil.rmtree(workspace.root / ".selftune")
    return ["pull", str(folder / "remote"), "--trust", str(public)]


@pytest.fixture
def workspace(paid: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(paid, tmp_path / "workspace", symlinks=True)
    return Workspace(tmp_path / "workspace", tmp_path / "ledger")


COLLECTING = [["store", "gc", "--delete"]]


@pytest.mark.parametrize("more", [[], COLLECTING])
def test_pulls_builds_and_check_ups_at_once_do_not_harm_each_other(
    workspace: Workspace, tmp_path: Path, more: list[list[str]]
) -> None:
    words = pull(workspace, tmp_path)
    for path in workspace.root.glob("*/selftune.lock"):
        path.unlink()
    environment = {**workspace.environment, "TEST_LEDGER": str(workspace.ledger)}
    commands = [["store", *words], ["build", "-y", "-j", "2"], ["store", "fsck", "--repair"], *more] * 2
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
    workspace.build()
    assert len(workspace.lines()) == len(asked)
