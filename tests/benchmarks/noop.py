"""What a build costs in which nothing is to be done: `python -m tests.benchmarks.noop [SIZE [ROUNDS]]`.

Everybody in turn on one tree, round after round; the table holds medians, and medians of the ratios within a round. The machine
may be busy with other things: ratios bear that better than times, and CPU better than wall.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from msgspec import Struct

from tests.benchmarks.workspaces import SIZES, build_once, write_workspace

ROUNDS = 9
BIN = Path(sys.executable).parent


class Contender(Struct, frozen=True):
    """A command, and what has to be done before it each time."""

    argv: Sequence[str]
    before: Callable[[], None] = lambda: None


class Cost(Struct, frozen=True):
    """Seconds of one run."""

    wall: float
    cpu: float


def contenders(root: Path) -> dict[str, Contender]:
    """Who is compared on a workspace that is up to date."""
    selftune = [str(BIN / "selftune"), "build", "-C", str(root)]
    return {
        "`python -S -c pass`": Contender([sys.executable, "-S", "-c", "pass"]),
        "`python -c pass`": Contender([sys.executable, "-c", "pass"]),
        "`git status`": Contender(["git", "-C", str(root), "status", "--short"]),
        "`ninja`": Contender([str(BIN / "ninja"), "-C", str(root), "--quiet"]),
        "`selftune build`": Contender(selftune),
        "`selftune build`, no state": Contender(selftune, lambda: forget(root)),
        "`selftune build --locked`": Contender([*selftune, "--locked"]),
    }


def forget(root: Path) -> None:
    """Remove the no-op states."""
    for path in (root / ".selftune" / "index").glob("*.state"):
        path.unlink()


def measure(wanted: Mapping[str, Contender], rounds: int) -> list[dict[str, Cost]]:
    """The costs of each contender by round, after one round that does not count."""
    return [{name: _cost(each) for name, each in wanted.items()} for _ in range(rounds + 1)][1:]


def table(costs: Sequence[Mapping[str, Cost]]) -> list[str]:
    """The measured rows as Markdown."""
    lines = ["| | wall ms | CPU ms | CPU / ninja | CPU / git status | CPU / `python -S` |", "|---|---|---|---|---|---|"]
    for name in costs[0]:
        wall, cpu = (1000 * median(getattr(each[name], field) for each in costs) for field in ("wall", "cpu"))
        peers = ("`ninja`", "`git status`", "`python -S -c pass`")
        ratios = (median(each[name].cpu / each[peer].cpu for each in costs) for peer in peers)
        lines.append(f"| {name} | {wall:.0f} | {cpu:.0f} | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |")
    return lines


def _cost(each: Contender) -> Cost:
    each.before()
    start = time.perf_counter()
    with subprocess.Popen(each.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1, 3):
        raise subprocess.CalledProcessError(process.returncode, each.argv)
    return Cost(time.perf_counter() - start, usage.ru_utime + usage.ru_stime)


def main(size: str = "M", rounds: str = str(ROUNDS)) -> list[str]:
    """Write the workspace, build it once, measure, and return the table."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "workspace"
        write_workspace(root, SIZES[size])
        build_once(root)
        time.sleep(2.5)  # what is younger is not noted
        return table(measure(contenders(root), int(rounds)))


if __name__ == "__main__":
    print("\n".join(main(*sys.argv[1:])))
