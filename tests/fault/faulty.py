"""Runs of `selftune` with faults: the near end of `server.py`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVER = Path(__file__).with_name("server.py")
CHECKOUT = Path(__file__).parents[2]
FULL = os.environ.get("SELFTUNE_FAULTS") in ("all", "fresh")
FRESH = os.environ.get("SELFTUNE_FAULTS") == "fresh"
"""Every fault at every place, and also each in an interpreter of its own: hours. Else a fixed part of them (CONTRIBUTING.md)."""


@dataclass(frozen=True)
class Ran:
    """How a run ended. `seen`: how many changes were counted. `struck`: the change that was hit, empty where none was."""

    status: int | None
    stdout: str
    stderr: str
    seen: int
    struck: str
    trace: list[dict[str, Any]]

    @property
    def said(self) -> str:
        """Everything it said, on one line."""
        return " ".join((self.stdout + self.stderr).split())


class Faulty:
    """A server of runs; one at a time."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._server = subprocess.Popen([sys.executable, str(SERVER)], env=environment, text=True, **pipes)  # type: ignore[call-overload]

    def run(self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, **fault: Any) -> Ran:
        """One command; the fault counts changes below `folder`. Nobody sees a traceback, whatever happens."""
        request = {"arguments": list(arguments), "environment": dict(environment), "folder": str(folder), "cwd": str(folder)}
        self._server.stdin.write(json.dumps({"fresh": FRESH, **request, **fault}) + "\n")
        self._server.stdin.flush()
        line = self._server.stdout.readline()
        assert line, "the server has ended"
        ran = Ran(**json.loads(line))
        assert ran.status is not None, f"it never ended: {ran}"
        assert "Traceback" not in ran.stdout + ran.stderr, ran
        assert ran.status not in (70, 99), ran
        return ran

    def close(self) -> None:
        self._server.communicate()
