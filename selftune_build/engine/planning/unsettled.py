"""What no amount of money can settle, known before anything is spent."""

from __future__ import annotations

from selftune_build.checks.registry import needs_judge
from selftune_build.engine.package_run import PackageRun
from selftune_build.gates.facts import Facts
from selftune_build.gates.foresight import Suite, unsettleable, unsettleable_of
from selftune_build.graph.targets import Stage
from selftune_build.wording import counted

NAME_A_JUDGE = "name a judge: `judge:` in selftune.yaml (docs/judges.md)"


def unsettled(run: PackageRun, facts: Facts | None = None) -> list[str]:
    """One sentence for cases that nobody can judge, and where `verify` was asked for one for each gate that the suite of this
    package cannot pass whatever it measures. `facts`: those of its rows, where somebody has them."""
    cases = unjudgeable(run)
    need = "needs" if cases == 1 else "need"
    unjudged = [f"{counted(cases, 'case')} {need} a judge and none is named: `judge:` in selftune.yaml"] if cases else []
    if Stage.VERIFY not in run.stages:
        return unjudged
    gates, confidence = run.package.manifest.gates, run.package.manifest.samples.confidence
    if facts is not None:
        return [*unjudged, *unsettleable_of(facts, gates, confidence)]
    return [*unjudged, *unsettleable(Suite(run.package.evals, run.package.unit_tests, run.measures_outcome), gates, confidence)]


def unjudgeable(run: PackageRun) -> int:
    """How many of the cases that were asked for end undecided, whatever is answered, because nobody is named to judge them."""
    if run.package.manifest.judge is not None:
        return 0
    checked = (spec for spec in run.specs if spec.checks and run.wants(spec))
    return len({spec.case.id for spec in checked if any(needs_judge(check.kind) for check in spec.checks)})
