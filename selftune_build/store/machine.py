"""Which machine this is, and since when it runs: guards and workspaces of another one cannot be judged from here."""

from __future__ import annotations

import os
from pathlib import Path


def started() -> bytes:
    """What differs after the machine was started anew; empty where the system has no such thing."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:
        return b""


def machine() -> str:
    """The same as a word, of whatever system: processes for which it is equal see each other's guards."""
    return started().decode().strip() or os.uname().nodename
