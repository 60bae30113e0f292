"""Scanners that run offline as local programs and write SARIF: how each is called, and one call."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from selftune_build.plugins import Look, child_environment, run_process
from selftune_gate_scan.sarif import Unreadable, read

SECONDS = 240.0
VERSION_SECONDS = 60.0
OUTPUT_BYTES = 16 * 1024 * 1024
VERSION_BYTES = 4096


@dataclass(frozen=True)
class Scanner:
    """`scan` and the folder follow the program; `finished` are the exit statuses of a scan that came to its end."""

    program: str
    scan: tuple[str, ...]
    finished: tuple[int, ...]
    install: str
    prefixed: bool = False
    """Whether its places begin with the name of the folder."""


SCANNERS = {
    "skillguard": Scanner("skillguard", ("scan", "--format", "sarif"), (0, 1), "pip install skillguard-cli"),
    "skill-scanner": Scanner(
        "skill-scanner", ("scan", "--format", "sarif"), (0,), "pipx install cisco-ai-skill-scanner", prefixed=True
    ),
}


def scan(scanner: Scanner, folder: str) -> Look:
    """What it finds. Every way in which it does not come to its end is trouble, never "nothing found"."""
    program = _installed(scanner.program, folder)
    if program is None:
        return Look(trouble=f"{scanner.program} is not installed", advice=scanner.install)
    with tempfile.TemporaryDirectory(prefix="selftune-scan-") as home:
        version = _call([program, "--version"], home, VERSION_SECONDS, VERSION_BYTES)
        name = _first_line(version) if isinstance(version, tuple) and version[0] == 0 else ""
        if not name:
            return Look(trouble=f"{scanner.program} does not tell its version", advice=scanner.install)
        answer = _call([program, *scanner.scan, os.path.realpath(folder)], home, SECONDS, OUTPUT_BYTES)
    if isinstance(answer, str):
        return Look(name, trouble=f"{name}: {answer}")
    status, output = answer
    if status not in scanner.finished:
        return Look(name, trouble=f"{name}: it ended with exit status {status}")
    try:
        return Look(name, read(output, folder, f"{Path(os.path.realpath(folder)).name}/" if scanner.prefixed else ""))
    except Unreadable as error:
        return Look(name, trouble=f"{name}: its answer cannot be used: {error}")


def _installed(program: str, folder: str) -> str | None:
    """Its absolute path, never one inside what it is to judge."""
    found = shutil.which(program)
    if found is None or not os.path.isabs(found):
        return None
    inside = Path(os.path.realpath(found)).is_relative_to(os.path.realpath(folder))
    return None if inside else found


def _call(argv: list[str], home: str, seconds: float, most: int) -> tuple[int, bytes] | str:
    """Exit status and stdout, or why there are none. Its environment has no key of the user's, its HOME is empty."""
    outcome = run_process(argv, cwd=home, env=child_environment(home, home), timeout_s=seconds, output_cap=most)
    if outcome.exit_status is None or outcome.ended != "exit":
        return f"it did not come to its end ({outcome.ended})"
    return outcome.exit_status, outcome.stdout


def _first_line(answer: tuple[int, bytes]) -> str:
    lines = answer[1].decode("utf-8", "replace").strip().splitlines()
    return lines[0].strip()[:80] if lines else ""
