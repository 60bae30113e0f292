"""Gates that decide from more than tree and evidence: asked once, at the end; their verdicts are in no lock (ADR 0073)."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from selftune_build.engine.outcome import Outcome
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.past.against import first_of, with_gate
from selftune_build.gates.builtin import REVISION, Gate
from selftune_build.gates.decide import chosen, decide
from selftune_build.gates.facts import Facts, Look
from selftune_build.graph.targets import Stage
from selftune_build.model.finding import Finding
from selftune_build.model.manifest import GateSetting
from selftune_build.model.report import PackageReport

LOCKED = "nobody looked: --locked executes nothing"
_ELSEWHERE = "let a job that may execute it decide: `selftune build --no-exec --max-calls 0`"


def gates_beside(run: PackageRun) -> list[Gate]:
    """Those of the gates that the manifest names and turns on."""
    return [gate for gate in chosen(run.package.manifest.gates, run.registry.gates) if gate.beside]


def with_gates_beside(report: PackageReport, run: PackageRun, outcome: Outcome, root: Path, blind: str = "") -> PackageReport:
    """The report with the verdicts of these gates, as far as their stage was asked for, and with what they found in the files.

    `root`: of the workspace. `blind`: why nobody may look at the files here, empty where they may.
    """
    for gate in gates_beside(run):
        if (Stage.REPLAY if gate.against else Stage.SPEC) not in run.stages:
            continue
        setting = run.package.manifest.gates[gate.id]
        facts = _facts(gate, setting, run, outcome, root, blind)
        for result in decide(facts, {gate.id: setting}, run.package.manifest.samples.confidence, [gate]):
            report = with_gate(report, replace(result, fleeting=True))
        found = facts.look.findings if facts.look is not None else ()
        report = replace(report, findings=(*report.findings, *(_placed(finding, run) for finding in found)))
    return report


def _facts(gate: Gate, setting: GateSetting, run: PackageRun, outcome: Outcome, root: Path, blind: str) -> Facts:
    facts = outcome.facts
    if gate.against:
        named = setting.options.get(REVISION)
        words = (named,) if named else gate.against
        facts = replace(facts, against=first_of(words, run, outcome.rows, root, setting))
    if gate.look is not None:
        look = Look(trouble=blind, advice=_ELSEWHERE) if blind else gate.look(str(run.package.root), setting)
        facts = replace(facts, look=look)
    return facts


def _placed(finding: Finding, run: PackageRun) -> Finding:
    """With its place seen from the workspace."""
    if finding.at is None or run.package.path == ".":
        return finding
    return replace(finding, at=replace(finding.at, path=f"{run.package.path}/{finding.at.path}"))
