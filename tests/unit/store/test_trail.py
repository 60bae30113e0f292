"""What the interpreter tells of an invocation: what was looked at, and whether anything was done."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from selftune_build.probe import probed
from selftune_build.store.trail import recorded


def test_what_is_opened_listed_and_asked_about_is_on_the_trail(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a")
    with recorded() as trail:
        (tmp_path / "file").read_text()
        os.close(os.open(tmp_path / "file", os.O_RDONLY))
        sorted(tmp_path.iterdir())
        probed(tmp_path / "nothing")
    assert (trail.whole.opened, trail.whole.listed, trail.whole.probed) == (
        {str(tmp_path / "file")},
        {str(tmp_path)},
        {str(tmp_path / "nothing")},
    )
    assert trail.idle


def test_what_was_looked_for_in_vain_is_on_the_trail(tmp_path: Path) -> None:
    with recorded() as trail, pytest.raises(FileNotFoundError):
        (tmp_path / "nothing").read_text()
    assert trail.whole.opened == {str(tmp_path / "nothing")}


def test_relative_paths_count_from_where_they_were_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with recorded() as trail:
        os.listdir()
        os.listdir(b".")
    assert trail.whole.listed == {str(tmp_path)}


@pytest.mark.parametrize(
    "act",
    [
        lambda path: path.write_text("b"),
        lambda path: path.rename(path.with_name("other")),
        lambda path: path.unlink(),
        lambda path: path.chmod(0o600),
        lambda path: path.with_name("link").symlink_to(path),
        lambda path: subprocess.run([sys.executable, "-S", "-c", "pass"], check=True),
        lambda path: sys.audit("open", path),
    ],
    ids=["write", "rename", "remove", "mode", "link", "process", "an event of another form"],
)
def test_whoever_does_anything_is_not_idle(tmp_path: Path, act: Callable[[Path], object]) -> None:
    path = tmp_path / "file"
    path.write_text("a")
    with recorded() as trail:
        act(path)
    assert not trail.idle


def test_afterwards_nothing_is_heard(tmp_path: Path) -> None:
    with recorded() as trail:
        pass
    (tmp_path / "file").write_text("a")
    assert (trail.idle, trail.whole.opened) == (True, set())
