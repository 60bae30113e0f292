"""`--locked` over many packages: two processes say what one says, also where one of them ends early."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from selftune_build.limits import PACKAGES_FOR_TWO
from tests.benchmarks.evidence import write_locks
from tests.benchmarks.workspaces import Size, write_workspace

MAIN = """
import os, sys
os.sched_getaffinity = lambda _process: {0, 1}
fork, how = os.fork, sys.argv.pop(1)

def forked():
    print("forked", file=sys.stderr)
    process = fork()
    if not process and how == "lost":
        os._exit(1)
    if not process and how == "lost-later":
        import selftune_build.engine.locked.halves as halves
        halves.judged = lambda *_: os._exit(1)
    return process

def refused():
    raise BlockingIOError("no more processes")

os.fork = refused if how == "alone" else forked
from selftune_build.__main__ import main
sys.exit(main())
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of more packages than one process takes, all with locks that hold."""
    root = tmp_path_factory.mktemp("halves") / "workspace"
    write_workspace(root, Size(PACKAGES_FOR_TWO + 1, 4))
    write_locks(root)
    return root


def verify(root: Path, how: str, *options: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of `selftune build --locked`."""
    command = [sys.executable, "-c", MAIN, how, "build", "--locked", *options]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, env=environment, timeout=120)
    return done.returncode, done.stdout, done.stderr


def package(root: Path, number: int) -> Path:
    """The folder of one of the packages."""
    return root / "skills" / f"skill-{number:04}"


def edited(folder: Path) -> None:
    """Another body than the lock was written for."""
    with (folder / "SKILL.md").open("a") as stream:
        stream.write("More.\n")


def unreadable(folder: Path) -> None:
    """A manifest that is none."""
    (folder / "selftune.yaml").write_text("version: 1\nno such key: 1\n")


def without_lock(folder: Path) -> None:
    """Nothing was measured."""
    (folder / "selftune.lock").unlink()


@pytest.mark.parametrize("how", ["whole", "lost", "lost-later"])
@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_it_is_the_same_answer(prepared: Path, how: str, options: tuple[str, ...]) -> None:
    assert verify(prepared, how, *options) == (*verify(prepared, "alone", *options)[:2], "forked\n")


@pytest.mark.parametrize("number", [0, PACKAGES_FOR_TWO], ids=["in-our-half", "in-the-other"])
@pytest.mark.parametrize("damage", [edited, unreadable, without_lock])
def test_what_is_wrong_in_either_half_is_said_as_one_process_says_it(
    tmp_path: Path, number: int, damage: Callable[[Path], None]
) -> None:
    root = tmp_path / "workspace"
    write_workspace(root, Size(PACKAGES_FOR_TWO + 1, 1))
    write_locks(root)
    damage(package(root, number))
    status, output, trouble = verify(root, "whole")
    assert (status, output) == verify(root, "alone")[:2]
    assert (status != 0, trouble) == (True, "forked\n")
    assert f"skill-{number:04}" in output


def test_few_packages_and_single_ones_take_one_process(prepared: Path, tmp_path: Path) -> None:
    assert verify(prepared, "whole", "skill-0000")[::2] == (3, "")
    write_workspace(tmp_path / "few", Size(2, 1))
    write_locks(tmp_path / "few")
    assert verify(tmp_path / "few", "whole")[2] == ""
