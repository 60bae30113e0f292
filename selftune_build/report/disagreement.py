"""Where agents disagree about a package: its cases by agent, those that hold under one and fail under another by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from selftune_build.limits import SHOWN_FAILURES
from selftune_build.model.case import Arm
from selftune_build.model.report import PackageReport, Report, RowReport, RowState
from selftune_build.report.cells import cells, name, pad, wrap
from selftune_build.wording import counted


class Difference(Struct, frozen=True):
    """A case that does not come out alike: its row under each agent, in the order of the agents; None where there is none."""

    target: str
    rows: tuple[RowReport | None, ...]


class Disagreement(Struct, frozen=True):
    """One package under several agents."""

    package: str
    agents: tuple[str, ...]
    cases: int
    """Those for which at least two agents have evidence."""
    differing: tuple[Difference, ...]

    @property
    def sentence(self) -> str:
        """`claude and pi disagree in 1 of 4 cases of pdf`. Safe to show."""
        agents = [name(agent) for agent in self.agents]
        who = f"{', '.join(agents[:-1])} and {agents[-1]}"
        if not self.differing:
            return f"{who} agree in {counted(self.cases, 'case')} of {name(self.package)}"
        return f"{who} disagree in {len(self.differing)} of {counted(self.cases, 'case')} of {name(self.package)}"


def disagreements(report: Report) -> Iterator[Disagreement]:
    """Of every package that has rows under several agents, in the order of the report."""
    together: dict[tuple[str, str], list[PackageReport]] = {}
    for package in report.packages:
        if package.rows:
            together.setdefault((package.name, package.path), []).append(package)
    for (whose, _), packages in together.items():
        if len(packages) > 1:
            found = _disagreement(whose, packages)
            yield from [found] if found.cases else []


def shown(row: RowReport | None) -> str:
    """`failed 0/3`: what came of a case under one agent, and in how many samples what was wanted was seen."""
    if row is None or row.state is RowState.MISSING:
        return "no evidence"
    counts = [row.passed] if row.passed is not None else []
    if row.should_trigger is not None and row.triggered is not None:
        counts.append(row.triggered if row.should_trigger else row.n - row.triggered)
    return f"{row.state.value} {min(counts)}/{row.n}" if counts else row.state.value


def disagreement_lines(report: Report, width: int, verbose: bool) -> Iterator[str]:
    """A sentence for each package, and below it the cases that come out differently, an agent a column."""
    for found in disagreements(report):
        yield from wrap(found.sentence + (":" if found.differing else ""), width, "  ")
        some = found.differing if verbose else found.differing[:SHOWN_FAILURES]
        if some:
            yield from _matrix(found.agents, some, width)
        if len(found.differing) > len(some):
            yield f"  and {counted(len(found.differing) - len(some), 'more case')} (-v shows all)"


def _disagreement(whose: str, packages: Sequence[PackageReport]) -> Disagreement:
    by_agent = [{row.target: row for row in package.rows if row.arm != Arm.WITHOUT_SKILL} for package in packages]
    targets = dict.fromkeys(target for rows in by_agent for target in rows)
    cases = [Difference(target, tuple(rows.get(target) for rows in by_agent)) for target in targets]
    compared = [(each, states) for each in cases if len(states := _states(each)) > 1]
    differing = tuple(each for each, states in compared if len(set(states)) > 1)
    return Disagreement(whose, tuple(package.agent for package in packages), len(compared), differing)


def _states(case: Difference) -> list[RowState]:
    """Of the agents that have evidence: nothing is known of the others."""
    return [row.state for row in case.rows if row is not None and row.state is not RowState.MISSING]


def _matrix(agents: Sequence[str], differing: Sequence[Difference], width: int) -> Iterator[str]:
    table = [["", *map(name, agents)], *([name(each.target), *map(shown, each.rows)] for each in differing)]
    widths = [max(cells(row[column]) for row in table) for column in range(len(agents) + 1)]
    if sum(widths) + 2 * len(widths) > width:  # too many agents for this terminal: one below the other
        for target, *states in table[1:]:
            told = ", ".join(f"{agent} {state}" for agent, state in zip(table[0][1:], states, strict=True))
            yield from (f"  {line}" for line in wrap(f"{target}: {told}", width - 2, "  "))
        return
    for row in table:
        yield ("  " + "  ".join(pad(text, wide) for text, wide in zip(row, widths, strict=True))).rstrip()
