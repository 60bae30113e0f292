"""The one table: package, stage, run and reused, rate with interval, verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from selftune_build.graph.targets import stage_of
from selftune_build.model.report import PackageReport, StageReport, TargetState
from selftune_build.model.verdict import GateResult, Metric, Verdict
from selftune_build.report.by_hand import accepted_note
from selftune_build.report.cells import cells, name, pad, paint, wrap

STAGE_OF_GATE = {
    "spec": "spec",
    "security": "spec",
    "unit-tests": "unit-tests",
    "trigger-recall": "replay",
    "trigger-specificity": "replay",
    "task-pass-rate": "replay",
    "regression": "replay",
    "lift": "baseline",
}
"""Under which stage the result of a gate stands; those of plugins stand under `package-evaluation`."""

_LAST = "package-evaluation"
_DONE = (TargetState.UP_TO_DATE, TargetState.BUILT)
_GAP = "  "


class Line(Struct, frozen=True):
    """One line of the table, not laid out yet; `style` names the colour of the verdict."""

    label: str
    run: str = ""
    reused: str = ""
    rate: str = ""
    verdict: str = ""
    style: str = ""
    heading: bool = False


def table_lines(packages: Sequence[PackageReport], *, folded: bool) -> list[Line]:
    """The lines of all packages; folded, a package that passes with nothing run takes one."""
    agent_of = by_agent(packages)
    return [line for package in packages for line in _package_lines(package, agent_of(package), folded)]


def by_agent(packages: Sequence[PackageReport]) -> Callable[[PackageReport], str]:
    """The agent of a package, in brackets behind a space, where there are several to be told apart; else nothing."""
    several = len({package.agent for package in packages if package.agent}) > 1
    return lambda package: f" ({name(package.agent)})" if several and package.agent else ""


def lay_out(lines: Sequence[Line], width: int, colour: bool, *, would: bool = False) -> list[str]:
    """The lines under a header, in columns that fit `width` as far as their contents allow."""
    header = Line("", "to run" if would else "run", "reused", "rate [interval] n", "verdict", "quiet")
    every = [header, *lines]
    right = [max(cells(getattr(line, column)) for line in every) for column in ("run", "reused", "rate", "verdict")]
    widest = max((cells(line.label) for line in lines), default=0)
    label = max(min(widest, width - sum(right) - len(_GAP) * len(right)), 12)
    return [text.rstrip() for line in every for text in _laid_out(line, label, right, colour)]


def _laid_out(line: Line, label: int, right: Sequence[int], colour: bool) -> list[str]:
    indent = line.label[: len(line.label) - len(line.label.lstrip())]
    first, *more = wrap(line.label.lstrip(), label - len(indent), "")
    run, reused, rate, _ = right
    columns = [
        paint(pad(indent + first, label), "heading" if line.heading else "", colour),
        pad(line.run, run, right=True),
        pad(line.reused, reused, right=True),
        pad(line.rate, rate),
        paint(line.verdict, line.style, colour),
    ]
    return [_GAP.join(columns), *(indent + text for text in more)]


def _package_lines(package: PackageReport, agent: str, folded: bool) -> list[Line]:
    label = name(package.name) + agent
    idle = all(stage.run == 0 and stage.state is TargetState.UP_TO_DATE for stage in package.stages)
    verdict = package.verdict
    if folded and idle and verdict is Verdict.PASS:
        reused = sum(stage.reused for stage in package.stages)
        said = verdict.value + accepted_note(len(package.accepted))
        return [Line(label, "0", str(reused), "all up to date", said, verdict.value, heading=True)]
    head = Line(label, verdict=verdict.value, style=verdict.value, heading=True)
    shown = {stage_of(stage.target) for stage in package.stages}
    return [head, *(line for stage in _stages(package, shown) for line in _stage_lines(stage, package, shown))]


def _stages(package: PackageReport, shown: set[str]) -> list[StageReport]:
    """The stages as they are, then one more for results of gates that have none of them."""
    homeless = any(_home(gate, shown) is None for gate in package.gates)
    return [*package.stages, StageReport("gates", TargetState.BUILT)] if homeless else list(package.stages)


def _home(gate: GateResult, shown: set[str]) -> str | None:
    wanted = STAGE_OF_GATE.get(gate.id, _LAST)
    return wanted if wanted in shown else None


def _stage_lines(stage: StageReport, package: PackageReport, shown: set[str]) -> list[Line]:
    own = stage_of(stage.target)
    home = None if own == "gates" and own not in shown else own
    gates = [gate for gate in package.gates if _home(gate, shown) == home]
    counts = (str(stage.run), str(stage.reused)) if stage.run or stage.reused else ("", "")
    if len(gates) == 1 and gates[0].id == own:
        return [_gate_line(gates[0], package, f"  {own}", *counts)]
    quiet = stage.state in _DONE and counts == ("", "")
    if quiet and (not gates or own == "verify"):
        return []
    state = "" if gates and stage.state in _DONE else stage.state.value.replace("-", " ")
    head = Line(f"  {name(own)}", *counts, verdict=state, style="quiet")
    return [head, *(_gate_line(gate, package, f"    {name(gate.id)}") for gate in gates)]


def _gate_line(gate: GateResult, package: PackageReport, label: str, run: str = "", reused: str = "") -> Line:
    metric = package.metrics.get(gate.id.replace("-", "_"))
    optional = "" if gate.required else " (optional)"
    verdict = gate.verdict.value + accepted_note(len(gate.accepted))
    return Line(label + optional, run, reused, _rate(metric), verdict, gate.verdict.value)


def _rate(metric: Metric | None) -> str:
    if metric is None:
        return ""
    return f"{metric.value:.2f} [{metric.low:.2f}, {metric.high:.2f}] {metric.n}"
