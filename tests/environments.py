"""Virtual environments with what is built from a checkout, as users have it, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

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


def copied_environment(python: Path, folder: Path) -> Path:
    """A second environment with the packages of the first; its Python. Only modules (`-m`) are its own, no scripts."""
    shutil.copytree(python.parents[1], folder, symlinks=True)
    return folder / "bin/python"
