"""Ends what a host left running outside of its process group: some give every command of a model a session of its own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from selftune_build.limits import CHILD_WATCH_INTERVAL_S, HOST_SWEEPS

_PROCESSES = Path("/proc")


def sweep(folder: Path) -> None:
    """Kill every process that works below `folder`, an absolute path, again until none is left. Nothing without /proc."""
    for _ in range(HOST_SWEEPS):
        found = list(_working_below(folder))
        if not found:
            return
        for process in found:
            with suppress(OSError):
                os.kill(process, signal.SIGKILL)
        time.sleep(CHILD_WATCH_INTERVAL_S)


def _working_below(folder: Path) -> Iterator[int]:
    with suppress(OSError):
        for name in filter(str.isdigit, os.listdir(_PROCESSES)):
            with suppress(OSError):  # it has ended, or is somebody else's
                if os.readlink(_PROCESSES / name / "cwd").startswith(f"{folder}/"):
                    yield int(name)
