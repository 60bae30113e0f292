"""Which skill the prompts went to: every stolen prompt by name, and the matrix of who stole from whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selftune_build.limits import SHOWN_CASES, SHOWN_FAILURES
from selftune_build.model.report import PackageReport, Report
from selftune_build.model.statistics import Routing, Stolen
from selftune_build.report.cells import cells, indented, name, pad, wrap

ADVICE = (
    "to do: say in the description of each of the two what the other one is for, or what it is not for, in words of the stolen "
    "prompts; a prompt that belongs to both belongs into neither's evals"
)
_Line = tuple[PackageReport, Routing]


def routing_lines(report: Report, width: int, verbose: bool) -> Iterator[str]:
    """Nothing where no prompt was stolen; with `verbose` the matrix in any case."""
    lines = [(package, routing) for package in report.packages if (routing := package.statistics.routing) is not None]
    stolen = [(package, each) for package, routing in lines for each in routing.stolen]
    shown = stolen if verbose else stolen[:SHOWN_FAILURES]
    for package, each in shown:
        yield from wrap(f"stolen: {name(each.target)}: {stolen_by(each)} instead of {name(package.name)}", width, "  ")
    if len(stolen) > len(shown):
        yield f"  and {len(stolen) - len(shown)} more stolen prompts (-v shows all)"
    if lines and (stolen or verbose):
        yield from _matrix([line for line in lines if verbose or line[1].stolen], lines, width)
    if stolen:
        yield from indented(ADVICE, width, 2)


def stolen_by(stolen: Stolen) -> str:
    """`bake in 2 of 3 samples`."""
    thieves = [f"{name(skill)} in {count}" for skill, count in stolen.by.items()]
    more = f" and {len(thieves) - SHOWN_CASES} others" if len(thieves) > SHOWN_CASES else ""
    return f"{', '.join(thieves[:SHOWN_CASES])}{more} of {stolen.n} samples"


def _matrix(shown: Sequence[_Line], every: Sequence[_Line], width: int) -> Iterator[str]:
    """Rows: whose prompts. Columns: which skill was used, in samples."""
    skills = sorted({skill for _, routing in shown for skill in routing.others} | {package.name for package, _ in shown})
    heads = ["prompts of", *map(name, skills), "none", "not known"]
    several = len({package.agent for package, _ in every}) > 1
    table = [heads]
    for package, routing in shown:
        label = name(package.name) + (f" ({name(package.agent)})" if several else "")
        used = [routing.own if skill == package.name else routing.others.get(skill, 0) for skill in skills]
        table.append([label, *(str(count or "·") for count in (*used, routing.none, routing.unknown))])
    widths = [max(cells(row[column]) for row in table) for column in range(len(heads))]
    if sum(widths) + 2 * len(widths) > width:
        return  # too many skills for this terminal: every stolen prompt is named above, and --json has the matrix
    for row in table:
        yield "  " + "  ".join(pad(text, wide, right=bool(at)) for at, (text, wide) in enumerate(zip(row, widths, strict=True)))
