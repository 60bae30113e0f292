"""What a row depended on when it was last settled in this worktree: only for explanations."""

from __future__ import annotations

from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.planning.plan import Trace
from selftune_build.fingerprint.keys import Inputs
from selftune_build.stages.row import RowSpec
from selftune_build.store.traces import Traces


def tracer(run: PackageRun, traces: Traces) -> Trace:
    """Looks up the inputs of a row of this package and agent."""

    def trace(spec: RowSpec) -> Inputs | None:
        found = traces.read(trace_address(run, spec))
        return dict(found) if found is not None else None

    return trace


def trace_address(run: PackageRun, spec: RowSpec) -> str:
    """Under which name a row is noted: package folder, agent, arm, case."""
    return "\0".join((run.package.path, run.agent.name, spec.arm.value, spec.case.id))
