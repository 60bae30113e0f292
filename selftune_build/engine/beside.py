"""Gates that decide from more than tree and evidence: asked once, at the end; their verdicts are in no lock (ADR 0073)."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from selftune_build.engine.outcome import Outcome
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.past.against import first_of, with_gate
from selftune_build.gates.builtin import REVISION, Gate
from selftune_build.gates.decide import chosen, decide
from selftune_build.gates.facts import Facts
from selftune_build.graph.targets import Stage
from selftune_build.model.manifest import GateSetting
from selftune_build.model.report import PackageReport


def gates_beside(run: PackageRun) -> list[Gate]:
    """Those of the gates that the manifest names and turns on."""
    return [gate for gate in chosen(run.package.manifest.gates, run.registry.gates) if gate.beside]


def with_gates_beside(report: PackageReport, run: PackageRun, outcome: Outcome, root: Path) -> PackageReport:
    """The report with the verdicts of these gates, as far as their stage was asked for. `root`: of the workspace."""
    for gate in gates_beside(run) if Stage.REPLAY in run.stages else ():
        setting = run.package.manifest.gates[gate.id]
        facts = _facts(gate, setting, run, outcome, root)
        for result in decide(facts, {gate.id: setting}, run.package.manifest.samples.confidence, [gate]):
            report = with_gate(report, replace(result, fleeting=True))
    return report


def _facts(gate: Gate, setting: GateSetting, run: PackageRun, outcome: Outcome, root: Path) -> Facts:
    named = setting.options.get(REVISION)
    return replace(outcome.facts, against=first_of((named,) if named else gate.against, run, outcome.rows, root, setting))
