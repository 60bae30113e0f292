"""The packages at a glance, where there are several."""

from __future__ import annotations

from selftune_build.limits import HTML_ENTRIES
from selftune_build.model.report import PackageReport, Report, RowReport, RowState
from selftune_build.model.verdict import Metric, Verdict
from selftune_build.report.cells import name
from selftune_build.report.disagreement import Disagreement, disagreements, shown
from selftune_build.report.html.cases import MARKS, badge
from selftune_build.report.html.markup import Markup, tag
from selftune_build.report.html.package import VERDICTS, decimal

_RATES = (("trigger_recall", "recall"), ("trigger_specificity", "specificity"), ("task_pass_rate", "tasks"), ("lift", "lift"))


def overview(report: Report) -> Markup | None:
    """A line for each package under each agent."""
    if len(report.packages) < 2:
        return None
    columns = ["package", "verdict", "agent", "evidence", *(title for _, title in _RATES)]
    head = tag("tr", *(tag("th", title, scope="col", class_="number" if title in _NUMBERS else None) for title in columns))
    lines = [_line(package, f"#p{index + 1}") for index, package in by_verdict(report)]
    table = tag("table", tag("thead", head), tag("tbody", *lines), class_="overview")
    return tag("section", tag("h2", "Overview"), tag("div", table, class_="scroll"), *map(_disagreement, disagreements(report)))


def _disagreement(found: Disagreement) -> Markup:
    """Which cases come out differently, an agent a column; where none does, that."""
    if not found.differing:
        return tag("p", found.sentence)
    head = tag("tr", tag("th", "case", scope="col"), *(tag("th", name(agent), scope="col") for agent in found.agents))
    lines = [
        tag("tr", tag("th", tag("span", name(each.target), class_="id"), scope="row"), *map(_cell, each.rows))
        for each in found.differing[:HTML_ENTRIES]
    ]
    more = len(found.differing) - len(lines)
    table = tag("table", tag("caption", found.sentence), tag("thead", head), tag("tbody", *lines), class_="overview")
    return tag("div", table, tag("p", f"and {more} more", class_="cut") if more > 0 else None, class_="scroll")


def _cell(row: RowReport | None) -> Markup:
    """The state with its sign, and the count behind it."""
    state = row.state if row is not None else RowState.MISSING
    return tag("td", badge(state.value, MARKS[state]), shown(row).removeprefix(state.value) if row and row.n else None)


_NUMBERS = {title for _, title in _RATES}


def by_verdict(report: Report) -> list[tuple[int, PackageReport]]:
    """The packages with their index in the report, those that do not pass first."""
    return sorted(enumerate(report.packages), key=lambda each: _FIRST.index(each[1].verdict))


_FIRST = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)


def _line(package: PackageReport, place: str) -> Markup:
    rates = [tag("td", _rate(package.metrics.get(metric)), class_="number") for metric, _ in _RATES]
    link = tag("a", name(package.name), href=place, class_="id")
    verdict = badge(package.verdict.value, VERDICTS[package.verdict])
    agent = [tag("td", name(package.agent) or "none"), tag("td", package.origin or "none")]
    return tag("tr", tag("th", link, scope="row"), tag("td", verdict), *agent, *rates)


def _rate(metric: Metric | None) -> str:
    return "–" if metric is None else decimal(metric.value)
