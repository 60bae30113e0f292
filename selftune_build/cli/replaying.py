"""What `eval family-overlap` and `eval composability` have in common: cases replayed with chosen skills staged."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from selftune_build.cli.paying import BUDGET, confirm, with_options
from selftune_build.cli.signals import interruptible
from selftune_build.cli.start import opened
from selftune_build.exits import INTERRUPTED, UNDECIDED, VERIFIED

if TYPE_CHECKING:
    from selftune_build.engine.load import Universe
    from selftune_build.engine.registry import Registry
    from selftune_build.engine.request import BuildRequest
    from selftune_build.engine.siblings.side_by_side import Seen, Setting
    from selftune_build.model.package import Package


options = with_options(
    click.option("--skill-path", "paths", multiple=True, metavar="DIR", help="As PACKAGE; may be repeated."),
    click.option("--agent", metavar="NAME", help="Agent to run, instead of the manifest's."),
    click.option("--model", metavar="NAME", help="Model to ask it for; part of the key."),
    click.option("-j", "--jobs", type=click.IntRange(1, 256), default=None, help="Samples taken at the same time."),
    click.option("--dry-run", is_flag=True, help="Say what would run; run nothing, and report what is there already."),
    click.option("--no-exec", is_flag=True, help="Refuse to run code of the package."),
    *BUDGET,
)
"""Every option that the two commands share."""


class Scene(Struct, frozen=True):
    """The workspace that an invocation looks at, and what is asked of it."""

    universe: Universe
    request: BuildRequest
    registry: Registry


class Replayed(Struct, frozen=True):
    """What was seen in each setting, and what it took."""

    seen: list[list[Seen]]
    agents: tuple[str, ...]
    simulated: bool
    calls: int
    missing: int
    price: str | None
    trouble: list[str]
    interrupted: bool

    @property
    def whole(self) -> bool:
        """Whether every case has as many samples as it should."""
        return all(each.enough for cases in self.seen for each in cases)

    @property
    def exit_code(self) -> int:
        """Undecided where samples are missing."""
        if self.interrupted:
            return INTERRUPTED
        return VERIFIED if self.whole else UNDECIDED

    def document(self) -> dict[str, Any]:
        """The part of a JSON report that both commands share."""
        return {
            "agents": list(self.agents),
            "simulated": self.simulated,
            "spend": {"agent_calls": self.calls, "missing": self.missing, "price": self.price},
            "problems": self.trouble,
        }

    def lines(self) -> list[str]:
        """What people should know beside the result."""
        said = [f"asked {', '.join(self.agents)}: {self.calls} calls"]
        if self.simulated:
            said.append("the agent is a simulation: it shows which words collide, not what a model would do")
        if not self.whole:
            price = f" ({self.price})" if self.price else ""
            said.append(f"samples are missing, so what is above is not whole: run it without --dry-run{price}, or again")
        return [*said, *(f"trouble: {message}" for message in self.trouble)]


def scene(targets: Sequence[str], given: dict[str, Any]) -> Scene:
    """Read the workspace that the command line points to."""
    from selftune_build.engine.request import BuildRequest

    words = (*targets, *given["paths"])
    found = opened(given["directory"], words)
    request = BuildRequest(
        directory=found.here,
        targets=words,
        agents=() if given["agent"] is None else (given["agent"],),
        model=given["model"],
        dry_run=given["dry_run"],
        keep_going=True,
        no_exec=given["no_exec"],
        assume_yes=given["assume_yes"],
        jobs=given["jobs"] or os.cpu_count() or 1,
        max_calls=given["max_calls"],
        max_cost=given["max_cost"],
    )
    return Scene(found.universe, request, found.registry)


def named_packages(found: Scene, words: Sequence[str]) -> list[Package]:
    """The packages that these words name, in the order of the workspace.

    Raises UsageError for words that name none, or a stage, and the error of a package that cannot be read.
    """
    from selftune_build.scaffold.chosen import chosen_packages

    packages, broken = chosen_packages(found.universe, words, found.request.directory)
    for each in broken:
        raise each.error
    return list(packages)


def replay(found: Scene, settings: Sequence[Setting], *, quiet: bool) -> Replayed:
    """Take the samples that are missing, and read what is there."""
    from selftune_build.engine.request import Surroundings
    from selftune_build.engine.siblings.side_by_side import SideBySide
    from selftune_build.report.progress import Progress

    progress = Progress(sys.stderr, quiet=quiet)
    around = Surroundings(progress=progress, confirm=confirm, registry=found.registry)
    with interruptible(around.stop, around.cancel, progress.urgent):
        together = SideBySide(found.universe, settings, found.request, around)
        missing, price = together.missing, together.price
        if not found.request.dry_run:
            together.run()
        return Replayed(
            seen=together.seen(),
            agents=together.agents,
            simulated=together.simulated,
            calls=together.purse.calls,
            missing=missing,
            price=price,
            trouble=together.trouble,
            interrupted=around.stop.is_set(),
        )


def number(share: Fraction | None) -> float | None:
    """A share as JSON has it."""
    return None if share is None else round(float(share), 4)


def percent(share: Fraction | None) -> str:
    """A share for people."""
    return "-" if share is None else f"{round(float(share) * 100)}%"
