"""The report as Markdown, for a comment on a pull request and for the summary of a step.

Text of strangers stands in code spans only: there GitHub resolves no mention, link, image or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from selftune_build.limits import MARKDOWN_LINES
from selftune_build.model.finding import Severity
from selftune_build.model.report import PackageReport, Report
from selftune_build.model.sample import EvidenceOrigin
from selftune_build.model.verdict import Metric, Verdict
from selftune_build.report.by_hand import accepted_note, decided_by_hand
from selftune_build.report.cells import name, sentence
from selftune_build.report.disagreement import disagreements, shown
from selftune_build.wording import counted

MARKER = "<!-- selftune-build -->"
"""First line: by it a bot finds the comment that it wrote before."""
_SIGNS = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "⚠️"}
_COLUMNS = (
    ("trigger_recall", "recall"),
    ("trigger_specificity", "specificity"),
    ("task_pass_rate", "tasks"),
    ("lift", "lift"),
)


def render(report: Report) -> str:
    """Verdicts in a table, what stands in the way below it; newline at the end."""
    sections = [
        [MARKER, f"### selftune: {_SIGNS[report.verdict]} {report.verdict.value}"],
        list(_evidence(report)),
        list(_table(report)),
        list(_disagreements(report)),
        list(_listed("Problems", _problems(report))),
        list(_listed("Gates that do not pass", _gates(report))),
        list(_listed("Decided by hand", _by_hand(report))),
        list(_folded("failed check", "", _failures(report))),
        list(_folded("finding", " about the packages", _findings(report))),
        [_spend(report)],
    ]
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def code(text: str) -> str:
    """A stranger's text as a code span that it cannot leave, also inside a table."""
    shown = sentence(text).replace("|", "\\|") or " "
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _evidence(report: Report) -> Iterator[str]:
    origins = {package.origin for package in report.packages}
    if EvidenceOrigin.SIMULATED.value in origins:
        yield "Structure check: no model was run for evidence marked `simulated`."
    if report.mode == "locked":
        yield "Judged from tree and lock alone, nothing was executed."
    if report.overlay is not None:
        files = counted(len(report.overlay.files), "file")
        yield f"With the overlay {code(report.overlay.name)} ({files}): neither tree nor lock was written."


def _table(report: Report) -> Iterator[str]:
    if report.packages:
        yield "| package | agent | evidence | verdict | " + " | ".join(title for _, title in _COLUMNS) + " |"
        yield "|---|---|---|---|" + "---|" * len(_COLUMNS)
    for package in report.packages[:MARKDOWN_LINES]:
        cells = [code(package.name), code(package.agent or "none"), package.origin or "none"]
        rates = [_rate(package.metrics.get(metric)) for metric, _ in _COLUMNS]
        yield "| " + " | ".join([*cells, _verdict(package), *rates]) + " |"
    if len(report.packages) > MARKDOWN_LINES:
        yield f"\n{counted(len(report.packages) - MARKDOWN_LINES, 'more package')} not shown."


def _verdict(package: PackageReport) -> str:
    return f"{_SIGNS[package.verdict]} {package.verdict.value}{accepted_note(len(package.accepted))}"


def _rate(metric: Metric | None) -> str:
    return "" if metric is None else f"{metric.value:.2f} [{metric.low:.2f}, {metric.high:.2f}] n={metric.n}"


def _disagreements(report: Report) -> Iterator[str]:
    """A table for every package, an agent a column; where nothing differs that is said on a line."""
    for found in disagreements(report):
        if not found.differing:
            yield f"{code(found.sentence)}\n"
            continue
        yield f"**Agents disagree**: {code(found.sentence)}\n"
        yield f"| case | {' | '.join(map(code, found.agents))} |"
        yield "|---|" + "---|" * len(found.agents)
        for each in found.differing[:MARKDOWN_LINES]:
            yield f"| {code(each.target)} | {' | '.join(map(shown, each.rows))} |"
        if len(found.differing) > MARKDOWN_LINES:
            yield f"\n{counted(len(found.differing) - MARKDOWN_LINES, 'more case')} not shown."
        yield ""


def _problems(report: Report) -> Iterator[str]:
    for package in report.packages:
        for problem in package.problems:
            fix = f"<br>fix: {code(problem.fix)}" if problem.fix else ""
            yield f"- **{name(problem.code)}** {code(problem.target)}: {code(problem.message)}{fix}"


def _gates(report: Report) -> Iterator[str]:
    for package in report.packages:
        for gate in package.gates:
            if gate.required and gate.verdict is not Verdict.PASS:
                yield f"- {gate.verdict.value}: {code(gate.id)} of {code(package.name)}: {code(gate.message)}"


def _by_hand(report: Report) -> Iterator[str]:
    yield from (f"- {code(line)}" for package in report.packages for line in decided_by_hand(package))


def _failures(report: Report) -> Iterator[str]:
    for package in report.packages:
        for each in package.failures:
            yield f"- {code(each.target)} {each.failed} of {each.n}: {code(each.check)}: {code(each.evidence)}"


def _findings(report: Report) -> Iterator[str]:
    seen = dict.fromkeys(finding for package in report.packages for finding in package.findings)
    for finding in seen:
        if finding.severity is not Severity.NOTE:
            place = f" {code(str(finding.at))}" if finding.at is not None else ""
            yield f"- {finding.severity.value}{place}: {code(finding.message)}"


def _listed(title: str, lines: Iterable[str]) -> Iterator[str]:
    every = list(dict.fromkeys(lines))
    if every:
        yield f"**{title}**\n"
        yield from _some(every)


def _folded(noun: str, about: str, lines: Iterable[str]) -> Iterator[str]:
    every = list(dict.fromkeys(lines))
    if every:
        yield f"<details><summary>{counted(len(every), noun)}{about}</summary>\n"
        yield from _some(every)
        yield "\n</details>"


def _some(lines: list[str]) -> Iterator[str]:
    yield from lines[:MARKDOWN_LINES]
    if len(lines) > MARKDOWN_LINES:
        yield f"- and {len(lines) - MARKDOWN_LINES} more"


def _spend(report: Report) -> str:
    spend = report.spend
    calls = f"{counted(spend.agent_calls, 'agent call')}, {counted(spend.judge_calls, 'judge call')}"
    return f"{calls}, {spend.cost_usd} USD, {spend.reused} reused"
