"""Git in tests, without anybody's configuration."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_SETTINGS = ("user.name=a", "user.email=a@b", "init.defaultBranch=main", "merge.conflictStyle=diff3")


def git(folder: Path, *arguments: str, status: int = 0) -> None:
    """Run git in a folder; its exit status has to be `status`."""
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    done = subprocess.run(["git", *settings, *arguments], cwd=folder, env=environment, capture_output=True, check=False)
    assert done.returncode == status, (arguments, done.stdout, done.stderr)
