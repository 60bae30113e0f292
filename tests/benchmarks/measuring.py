"""Commands in turn, round after round: what each costs, and ratios within a round.

The machine may be busy with other things: ratios bear that better than times, and CPU better than wall.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from msgspec import Struct

MOST = 3
"""Exit statuses up to this one are answers; `selftune build` says 1 and 3 for verdicts."""


class Contender(Struct, frozen=True):
    """A command, and what has to be done before it each time, which is not measured."""

    argv: Sequence[str]
    before: Callable[[], None] = lambda: None
    environment: Mapping[str, str] = {}


class Cost(Struct, frozen=True):
    """Seconds and MiB of one run."""

    wall: float
    cpu: float
    mib: float


Round = Mapping[str, Cost]


def measure(wanted: Mapping[str, Contender], folder: Path, rounds: int) -> list[Round]:
    """The costs of each contender by round, after one round that does not count."""
    return [{name: cost(each, folder) for name, each in wanted.items()} for _ in range(rounds + 1)][1:]


def cost(each: Contender, folder: Path) -> Cost:
    """Run it once, with byte code as every installation has it. Raises CalledProcessError for a status that is no answer."""
    each.before()
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment, start = {**plain, **each.environment}, time.perf_counter()
    process = subprocess.Popen(
        each.argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, env=environment
    )
    with process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    if not 0 <= process.returncode <= MOST:
        raise subprocess.CalledProcessError(process.returncode, each.argv)
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def middle(rounds: Sequence[Round], name: str, field: str) -> float:
    """The median of a cost."""
    return median(getattr(each[name], field) for each in rounds)


def ratio(rounds: Sequence[Round], name: str, peer: str, field: str) -> float:
    """The median of the ratios within a round."""
    return median(getattr(each[name], field) / max(getattr(each[peer], field), 1e-4) for each in rounds)
