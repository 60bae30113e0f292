"""Virtual environments with what is built from a checkout, as users have it, and nothing else."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]


def run(*command: str | Path, cwd: Path, environment: Mapping[str, str] | None = None) -> str:
    """Standard output of a command that has to succeed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build_wheel(project: Path, folder: Path) -> Path:
    """The wheel of a project, alone in `folder`."""
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder, project, cwd=CHECKOUT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(python: Path, *needs: str | Path, cwd: Path) -> None:
    """Install into the environment of this Python, with what is needed, from the package index."""
    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-input", *needs, cwd=cwd)


def new_environment(folder: Path, *needs: str | Path) -> Path:
    """A virtual environment with these needs alone; its Python."""
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    install(python, *needs, cwd=folder)
    return python


def core_environment(factory: pytest.TempPathFactory) -> Path:
    """An environment with the core's wheel and what it needs, made once for all workers of a test run; its Python.

    Nobody may change it: `copied_environment` is for whoever installs more.
    """
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "core-environment"
    folder.mkdir(exist_ok=True)
    with (folder / "made").open("a+") as made:
        fcntl.flock(made, fcntl.LOCK_EX)
        if os.fstat(made.fileno()).st_size == 0:
            shutil.rmtree(folder / "venv", ignore_errors=True)
            new_environment(folder / "venv", build_wheel(CHECKOUT, folder / "wheel"))
            made.write("made")
    return folder / "venv/bin/python"


def copied_environment(python: Path, folder: Path) -> Path:
    """A second environment with the packages of the first; its Python. Only modules (`-m`) are its own, no scripts."""
    shutil.copytree(python.parents[1], folder, symlinks=True)
    return folder / "bin/python"
