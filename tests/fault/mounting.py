"""A real read-only file system for a child, where this user may mount."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

_NEW_NAMESPACE = 0x20000
_READ_ONLY, _REMOUNT, _BIND, _ALL_BELOW, _PRIVATE = 1, 32, 4096, 16384, 1 << 18


def read_only(folder: Path) -> Callable[[], None]:
    """For `preexec_fn`: the child sees a folder on a file system that nobody can write to; others go on as before."""

    def mount() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        path = os.fsencode(folder)
        steps = (
            lambda: libc.unshare(_NEW_NAMESPACE),
            lambda: libc.mount(b"none", b"/", None, _ALL_BELOW | _PRIVATE, None),
            lambda: libc.mount(path, path, None, _BIND, None),
            lambda: libc.mount(None, path, None, _REMOUNT | _BIND | _READ_ONLY, None),
        )
        for step in steps:
            if step() != 0:
                raise OSError(ctypes.get_errno(), "this user may not mount")

    return mount


def may_mount(folder: Path) -> bool:
    """Whether `read_only` works here."""
    try:
        return subprocess.run([sys.executable, "-S", "-c", ""], preexec_fn=read_only(folder), check=False).returncode == 0
    except subprocess.SubprocessError:
        return False
