"""The table of docs/performance.md: `python -m tests.benchmarks.table S|M|L|XL`; BENCH_ROUNDS sets the number of rounds.

Two scenarios on one tree: nothing to be done, with a fresh clone under `--locked` beside it; and the body of one package edited.
Each compares `selftune` with its peers in interleaved rounds. Last the memory of a plan for which every row is read and keyed; of
XL, 200,000 cases, that alone.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path

from msgspec import Struct, field

from tests.benchmarks import peers
from tests.benchmarks.evidence import write_locks
from tests.benchmarks.measuring import Contender, Round, cost, measure, middle, ratio
from tests.benchmarks.workspaces import SIZES, commit, edit_body, write_workspace

ROUNDS = 9
SELFTUNE = (str(Path(sysconfig.get_path("scripts")) / "selftune"), "build")
BUILD, PLAN, LOCKED = "`selftune build`", "`selftune build --dry-run`", "`selftune build --locked`"
NINJA, DOIT, MAKE, GIT, BARE = "`ninja`", "`doit`", "`make`", "`git status`", "`python -S -c pass`"
AGE_S = 2.5
"""What is younger is not noted."""


class Goal(Struct, frozen=True):
    """A command is to cost at most so many times what a peer costs in the same round."""

    scenario: str
    command: str
    peer: str
    most: float


GOALS = {
    "S": (Goal("no-op", BUILD, NINJA, 4), Goal("edit", PLAN, DOIT, 0.5), Goal("no-op", LOCKED, DOIT, 1)),
    "M": (
        *(Goal("no-op", BUILD, NINJA, 0.7), Goal("no-op", BUILD, GIT, 2.5)),
        *(Goal("edit", PLAN, DOIT, 0.15), Goal("no-op", LOCKED, DOIT, 0.5)),
    ),
    "L": (
        *(Goal("no-op", BUILD, NINJA, 0.15), Goal("no-op", BUILD, GIT, 1.3)),
        *(Goal("edit", PLAN, NINJA, 0.5), Goal("no-op", LOCKED, NINJA, 2)),
    ),
}


class Bench(Struct):
    """A workspace in which everything is up to date, for everybody."""

    root: Path
    size: str
    edits: count[int] = field(default_factory=lambda: count(1))

    @property
    def doit(self) -> bool:
        """At L it takes minutes, and no goal names it there."""
        return self.size != "L"

    def prepare(self) -> None:
        """Write the tree, the locks and the build files; bring everything up to date and let `selftune` note that."""
        write_workspace(self.root, SIZES[self.size])
        write_locks(self.root)
        peers.write_build_files(self.root, SIZES[self.size].cases, doit=self.doit)
        commit(self.root)
        peers.build(self.root, doit=self.doit)
        time.sleep(AGE_S)
        self.note()

    def note(self) -> None:
        """A whole build with nothing to do."""
        cost(Contender(SELFTUNE), self.root)

    def idle(self) -> list[Round]:
        """Nothing to be done."""
        wanted = {
            BARE: Contender((sys.executable, "-S", "-c", "pass")),
            GIT: Contender(peers.GIT),
            MAKE: Contender(peers.MAKE),
            NINJA: Contender(peers.NINJA),
            **({DOIT: Contender(peers.DOIT)} if self.doit else {}),
            BUILD: Contender(SELFTUNE),
            LOCKED: Contender((*SELFTUNE, "--locked"), environment=self.nothing_known),
        }
        return measure(wanted, self.root, self.rounds)

    def edited(self) -> list[Round]:
        """One body edited before each command; `selftune` says what it would run, the others run it."""

        def edit() -> None:
            edit_body(self.root, next(self.edits))

        wanted = {
            MAKE: Contender(peers.MAKE, edit),
            NINJA: Contender(peers.NINJA, edit),
            **({DOIT: Contender(peers.DOIT, edit)} if self.doit else {}),
            PLAN: Contender((*SELFTUNE, "--dry-run"), edit),
        }
        return measure(wanted, self.root, self.rounds)

    def full_plan(self) -> float:
        """MiB at the peak of a plan that remembers nothing."""
        return cost(Contender((*SELFTUNE, "--dry-run"), environment=self.nothing_known), self.root).mib

    @property
    def nothing_known(self) -> dict[str, str]:
        """The environment of a fresh clone."""
        return {"SELFTUNE_STORE": str(self.root.parent / "none")}

    @property
    def rounds(self) -> int:
        """As many as were asked for."""
        return int(os.environ.get("BENCH_ROUNDS", ROUNDS))


def rows(rounds: Sequence[Round], wanted: Iterable[str]) -> list[str]:
    """The measured rows as Markdown: medians, and ratios to those peers that were there."""
    against = [name for name in wanted if name in rounds[0]]
    ratios = [f"{field} / {peer}" for peer in against for field in ("wall", "CPU")]
    lines = [f"| | wall ms | CPU ms | peak MiB | {' | '.join(ratios)} |", "|---" * (4 + len(ratios)) + "|"]
    for name in rounds[0]:
        wall, cpu, mib = (middle(rounds, name, field) for field in ("wall", "cpu", "mib"))
        shown = [f"{ratio(rounds, name, peer, field):.2f}" for peer in against for field in ("wall", "cpu")]
        lines.append(f"| {name} | {1000 * wall:.0f} | {1000 * cpu:.0f} | {mib:.0f} | {' | '.join(shown)} |")
    return lines


def goals(size: str, measured: dict[str, Sequence[Round]]) -> list[str]:
    """Each goal with what was measured."""
    lines = ["| goal | at most | wall | CPU |", "|---|---|---|---|"]
    for goal in GOALS.get(size, ()):
        found = [ratio(measured[goal.scenario], goal.command, goal.peer, field) for field in ("wall", "cpu")]
        shown = " | ".join(f"{each:.2f}" for each in found)
        lines.append(f"| {goal.scenario}: {goal.command} / {goal.peer} | {goal.most} | {shown} |")
    return lines


def main(size: str = "M") -> list[str]:
    """Write the workspace, measure, and return the tables."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder) / "workspace", size)
        lines = tables(bench) if size in GOALS else []
        if not lines:
            write_workspace(bench.root, SIZES[size])
            write_locks(bench.root)
        return [*lines, "", f"peak of a full plan: {bench.full_plan():.0f} MiB"]


def tables(bench: Bench) -> list[str]:
    """Both scenarios and the goals."""
    bench.prepare()
    measured = {"no-op": bench.idle(), "edit": bench.edited()}
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    parts = [[f"{bench.size}, {name}, {load}:", "", *rows(found, [DOIT, NINJA, GIT]), ""] for name, found in measured.items()]
    return [*(line for part in parts for line in part), *goals(bench.size, measured)]


if __name__ == "__main__":
    print("\n".join(main(*sys.argv[1:])))
