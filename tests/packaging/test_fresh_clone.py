"""What somebody has who clones a repository and installs the tool, and nothing else: no keys, no store, no network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.repository import committed, git
from tests.environments import core_environment

pytestmark = pytest.mark.slow
CUT = ["unshare", "--net", "--map-root-user"]
"""Runs a program in a network namespace that has `lo` alone."""


def run(*command: str, folder: Path | None = None) -> str:
    """What a program prints; it has to succeed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, (command, done.stdout[-2_000:], done.stderr[-2_000:])
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `selftune` of an environment that holds the wheel and what it depends on."""
    return core_environment(tmp_path_factory).with_name("selftune")


@pytest.fixture(scope="module")
def clone(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone of a repository that holds the examples and our own skill."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("examples", "skill"):
        shutil.copytree(checkout / name, folder / "origin" / name, ignore=shutil.ignore_patterns(".selftune", "__pycache__"))
    committed(folder / "origin")
    git(folder, "clone", "-q", str(folder / "origin"), str(folder / "clone"))
    return folder / "clone"


def verified(installed: Path, folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit status and output of locked verify with the network cut and an environment that has a PATH and nothing else."""
    command = [*CUT, str(installed), "build", "verify", "--locked", "-C", str(folder), *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def test_the_network_is_cut() -> None:
    probe = "import socket; print(sorted(name for _, name in socket.if_nameindex()))"
    assert run(*CUT, sys.executable, "-c", probe).strip() == "['lo']"


@pytest.mark.parametrize("workspace", ["examples/skills", "skill/selftune-build"])
def test_the_examples_are_verified(installed: Path, clone: Path, workspace: str) -> None:
    status, output = verified(installed, clone / workspace)
    assert (status, output.splitlines()[-1].startswith("pass")) == (0, True), output
    assert git(clone, "status", "--porcelain", "--ignored") == ""


def test_where_there_is_no_lock_the_answer_is_no(installed: Path, clone: Path) -> None:
    status, output = verified(installed, clone / "examples/failing")
    assert (status, "lock-missing: colour-names" in output) == (1, True)


def test_a_pull_request_is_judged_by_the_policy_of_its_base(installed: Path, clone: Path) -> None:
    gate = ("--policy", "origin/main", "--since", "origin/main")
    assert verified(installed, clone / "examples/skills", *gate)[0] == 0
    git(clone, "checkout", "-qb", "topic")
    (clone / "examples/skills/csv-report/evals/notes.md").write_text("Nothing that another skill's samples could have read.\n")
    committed(clone, "an edit without its lock")
    status, output = verified(installed, clone / "examples/skills", *gate)
    assert (status, "csv-report" in output, "meeting-minutes" in output) == (1, True, False)
    git(clone, "checkout", "-q", "main")
