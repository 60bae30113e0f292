"""One package: what stands in the way, its gates with their intervals, what failed, its cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct

from selftune_build.limits import HTML_CASES, HTML_ENTRIES, HTML_PICTURES
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.report import Failure, PackageReport, Problem, Report
from selftune_build.model.verdict import GateResult, Metric, Verdict
from selftune_build.report.by_hand import decided_by_hand
from selftune_build.report.cells import name, sentence
from selftune_build.report.grouping import checks_of, common_fix, grouped, same_failure, same_problem, samples_of, subject
from selftune_build.report.html.cases import badge, case_table, entries
from selftune_build.report.html.markup import Markup, joined, tag
from selftune_build.report.html.pictures import Interval, draw
from selftune_build.wording import counted

VERDICTS = {Verdict.PASS: "✓", Verdict.FAIL: "✗", Verdict.INCONCLUSIVE: "?"}
Item = TypeVar("Item")


class Drawn(Struct, frozen=True):
    """The pictures of a page, and why some are missing."""

    found: Mapping[Interval, Markup] = {}
    trouble: str = ""


def pictures(report: Report) -> Drawn:
    """A picture of every interval of the report; none without the extra `html`, whose numbers are there all the same."""
    wanted = dict.fromkeys(
        _interval(metric, value, package) for package in report.packages for metric, value in package.metrics.items()
    )
    try:
        more = len(wanted) - HTML_PICTURES
        return Drawn(draw(list(wanted)[:HTML_PICTURES]), f"{counted(more, 'more interval')} not drawn." if more > 0 else "")
    except ImportError:
        return Drawn(trouble="Intervals are pictures where Vega-Lite is installed: pip install 'selftune-build[html]'")
    except ValueError as error:
        return Drawn(trouble=f"Intervals could not be drawn: {sentence(str(error))}")


def _interval(metric: str, value: Metric, package: PackageReport) -> Interval:
    minimums = package.detail.minimums if package.detail is not None else {}
    return Interval(value.value, value.low, value.high, minimums.get(metric), metric == "lift")


def package_section(report: Report, index: int, drawn: Drawn, transcripts: Mapping[str, Markup], *, folded: bool) -> Markup:
    """All that is known of one package under one agent."""
    package = report.packages[index]
    number = index + 1
    agent = f"agent {name(package.agent)}" if package.agent else ""
    heading = tag(
        "summary",
        tag("h3", name(package.name)),
        badge(package.verdict.value, VERDICTS[package.verdict]),
        tag("span", ", ".join(filter(None, (agent, package.origin))), class_="quiet"),
    )
    parts = [
        _problems(package.problems),
        _gates(package, drawn),
        _by_hand(package),
        _failures(package.failures),
        _findings(package.findings),
        _lock(package),
        _cases(package, transcripts, number),
    ]
    return tag("details", heading, tag("div", *parts, class_="inside"), id=f"p{number}", class_="package", open=not folded)


def _part(title: str, *children: Markup | None, kind: str = "") -> Markup:
    return tag("section", tag("h4", title), *children, class_=f"part {kind}".strip())


def _listed(items: Sequence[Item], line: Callable[[Item], Markup]) -> Iterator[Markup]:
    """The items as a list, cut where it is too long."""
    yield tag("ul", *map(line, items[:HTML_ENTRIES]), class_="entries")
    if len(items) > HTML_ENTRIES:
        yield tag("p", f"Cut here: {len(items) - HTML_ENTRIES} more.", class_="cut")


def _problems(problems: Iterable[Problem]) -> Markup | None:
    groups = grouped(problems, same_problem)
    return _part("Problems", *_listed(groups, _problem), kind="bad") if groups else None


def _problem(group: Sequence[Problem]) -> Markup:
    first, fix = group[0], common_fix(group)
    place = f" at {name(first.path)}{f':{first.line}' if first.line else ''}" if first.path and len(group) == 1 else ""
    return tag(
        "li",
        tag("span", name(first.code), class_="code"),
        " ",
        tag("span", subject([each.target for each in group]), class_="id"),
        tag("p", f"{sentence(first.message)}{place}"),
        tag("p", _quiet("fix"), tag("code", sentence(fix))) if fix else None,
    )


def _gates(package: PackageReport, drawn: Drawn) -> Markup | None:
    if not package.gates:
        return None
    columns = ("gate", "verdict", "measured", "interval", "why")
    head = tag("tr", *(tag("th", title, scope="col", role="columnheader") for title in columns), role="row")
    lines = [_gate(gate, package, drawn) for gate in package.gates]
    body = [tag("thead", head, role="rowgroup"), tag("tbody", *lines, role="rowgroup")]
    key = " ".join(filter(None, (_KEY if drawn.found else "", drawn.trouble)))
    return _part("Gates", tag("table", *body, class_="gates", role="table"), tag("p", key, class_="quiet key") if key else None)


def _by_hand(package: PackageReport) -> Markup | None:
    """What the manifest takes out of the verdict, with the reasons that it gives."""
    lines = list(dict.fromkeys(decided_by_hand(package)))
    return _part("Decided by hand", *_listed(lines, lambda line: tag("li", line))) if lines else None


_KEY = "Bar: interval. Dot: measured value. Line: the least the gate asks for."


def _gate(gate: GateResult, package: PackageReport, drawn: Drawn) -> Markup:
    metric = gate.id.replace("-", "_")
    value = package.metrics.get(metric)
    picture = drawn.found.get(_interval(metric, value, package)) if value is not None else None
    optional = None if gate.required else tag("span", "not required", class_="kind")
    accepted = tag("span", f"{len(gate.accepted)} accepted", class_="kind") if gate.accepted else None
    cells = [
        tag("th", tag("span", name(gate.id), class_="id"), optional, scope="row", role="rowheader"),
        tag("td", badge(gate.verdict.value, VERDICTS[gate.verdict]), accepted, role="cell"),
        tag("td", _measured(value), class_="number" if value is not None else "number none", role="cell"),
        tag("td", picture, class_="picture", role="cell"),
        tag("td", sentence(gate.message), class_="why", role="cell"),
    ]
    return tag("tr", *cells, role="row")


def _measured(value: Metric | None) -> Markup:
    if value is None:
        return Markup("–")
    interval = tag("span", f"{decimal(value.low)} to {decimal(value.high)}, n {value.n}", class_="kind")
    return joined([tag("strong", decimal(value.value)), interval])


def decimal(value: float) -> str:
    """Two decimals behind a minus sign that is as wide as a digit."""
    return f"{value:.2f}".replace("-", "−")


def _failures(failures: Iterable[Failure]) -> Markup | None:
    groups = grouped(failures, same_failure)
    return _part("What failed", *_listed(groups, _failure)) if groups else None


def _failure(group: Sequence[Failure]) -> Markup:
    failed, samples = samples_of(group)
    return tag(
        "li",
        tag("span", subject([each.target for each in group]), class_="id"),
        f" {'failed' if group[0].measured else 'not measured'} in {failed} of {samples}",
        tag("p", _quiet("check"), checks_of(group)),
        tag("p", _quiet("seen"), sentence(group[0].evidence)),
    )


def _quiet(label: str) -> Markup:
    return tag("span", f"{label}: ", class_="quiet")


_ORDER = (Severity.ERROR, Severity.WARNING, Severity.NOTE)


def _findings(findings: Iterable[Finding]) -> Markup | None:
    ranked = sorted(dict.fromkeys(findings), key=lambda finding: _ORDER.index(finding.severity))
    if not ranked:
        return None
    summary = tag("summary", tag("h4", counted(len(ranked), "finding")))
    serious = ranked[0].severity is Severity.ERROR
    return tag("details", summary, *_listed(ranked, _finding), class_="part fold", open=serious)


def _finding(finding: Finding) -> Markup:
    place = tag("span", f" {name(str(finding.at))}", class_="quiet") if finding.at is not None else None
    fix = tag("p", _quiet("fix"), sentence(finding.hint)) if finding.hint else None
    return tag("li", tag("span", finding.severity.value, class_="code"), " ", sentence(finding.message), place, fix)


def _lock(package: PackageReport) -> Markup | None:
    lock = package.detail.lock if package.detail is not None else None
    if lock is None:
        return None
    if lock.trouble or not lock.lines:
        said = f"not compared with {lock.revision}: {sentence(lock.trouble)}" if lock.trouble else f"as at {lock.revision}"
        return tag("p", f"Lock: {said}.", class_="quiet part")
    summary = tag("summary", tag("h4", f"Lock: {counted(len(lock.lines), 'change')} since {name(lock.revision)}"))
    lines = _listed(lock.lines, lambda line: tag("li", sentence(line)))
    return tag("details", summary, *lines, class_="part fold")


def _cases(package: PackageReport, transcripts: Mapping[str, Markup], number: int) -> Markup | None:
    every = entries(package.rows)
    if not every:
        return None
    shown = every[:HTML_CASES]
    cut = tag("p", f"Cut here: {len(every) - len(shown)} more cases.", class_="cut") if len(every) > len(shown) else None
    return _part(counted(len(every), "case"), case_table(package, shown, transcripts, f"p{number}c"), cut)
