"""Git in tests, without anybody's configuration."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_SETTINGS = (
    "user.name=a",
    "user.email=a@b",
    "init.defaultBranch=main",
    "merge.conflictStyle=diff3",
    "protocol.file.allow=always",
    "advice.detachedHead=false",
)


def git(folder: Path, *arguments: str, status: int | None = 0) -> str:
    """Run git in a folder and return what it printed; its exit status has to be `status`, where there is one."""
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    done = subprocess.run(
        ["git", *settings, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert status in (None, done.returncode), (arguments, done.stdout, done.stderr)
    return done.stdout.strip()


def committed(folder: Path, message: str = "all") -> str:
    """Make the folder a repository where it is none, commit all of it, and return the name of the commit."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message, "--allow-empty")
    return git(folder, "rev-parse", "HEAD")
