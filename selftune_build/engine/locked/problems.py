"""In what tree and lock of a package do not belong together: the problems of `--locked` (DESIGN 8.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from selftune_build.advice import command
from selftune_build.agents.builtin import declared
from selftune_build.engine.beside import gates_beside
from selftune_build.engine.load import Universe, spec_profile
from selftune_build.engine.locked.identity import other_identity, unknown_agent
from selftune_build.engine.locked.judge import other_judge
from selftune_build.engine.locks.files import lock_path
from selftune_build.engine.locks.healing import NOBODY
from selftune_build.engine.locks.waivers import place_of
from selftune_build.engine.outcome import decided
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.request import BuildRequest
from selftune_build.engine.telling.summary import Settled
from selftune_build.graph.targets import Stage, address
from selftune_build.lock.parsing import LockReading
from selftune_build.model.case import Arm
from selftune_build.model.lock import AgentEntry
from selftune_build.model.manifest import Manifest
from selftune_build.model.repeated import Repeated
from selftune_build.model.report import Problem
from selftune_build.model.verdict import GateResult, Verdict

_STAGES = {Arm.WITHOUT_SKILL.value: Stage.BASELINE, Arm.SCRIPT.value: Stage.UNIT_TESTS}
"""Where a row of a case stands that is there no more; else under `replay`."""
_BUILD = ""
"""The fix of what another build of the package mends: becomes its command."""


def locked_problems(
    settled: Settled, gates: Iterable[GateResult], universe: Universe, request: BuildRequest
) -> tuple[Problem, ...]:
    """Everything in which tree and lock do not belong together, with what mends it."""
    found = _problems(settled, gates, universe, request)
    return tuple(_with_fix(problem, settled.run, request.repeated) for problem in found)


def entry_of(lock: LockReading, agent: str) -> AgentEntry | None:
    """What a lock has of an agent; of several sides of a merge the first that knows it."""
    return next((side.agents[agent] for side in lock.locks if agent in side.agents), None)


def _problems(settled: Settled, gates: Iterable[GateResult], universe: Universe, request: BuildRequest) -> Iterator[Problem]:
    run = settled.run
    whole = Stage.VERIFY in run.stages
    yield from _unbelievable(run, request)
    if run.lock.locks and whole:
        yield from _changed(run)
    if run.lock.locks and entry_of(run.lock, run.agent.name) is None:
        if not any(problem.agent == run.agent.name for problem in run.lock.problems):
            unknown = unknown_agent(run, universe.root)
            yield unknown or _problem(run, "agent-changed", f"the lock has no evidence of the agent {run.agent.name!r}")
    elif run.lock.locks:
        known = declared(run.agent.name, run.package.manifest, universe.root, run.asking.model)
        origin = run.agent.traits.origin.value
        other = other_identity(f"the agent {run.agent.name!r}", run.agent.identity, origin, known)
        yield from (_problem(run, "agent-changed", message) for message in other)
        judged = (entry_of(run.lock, run.agent.name) or NOBODY).judge
        yield from (_problem(run, "agent-changed", message) for message in other_judge(run, judged, universe.root))
        yield from _row_problems(run)
        if whole:
            yield from _extra(run)
            yield from _other_verdicts(settled)
            yield from _other_waivers(run)
    yield from _gate_problems(run, gates)


def _unbelievable(run: PackageRun, request: BuildRequest) -> Iterator[Problem]:
    """What the reader of the lock found, without what is said of another agent that is judged here as well."""
    judged = {*(request.agents or run.package.manifest.agent)} - {run.agent.name}
    told = [problem for problem in run.lock.problems if problem.agent not in judged]
    for found in told:
        fix = "use the release of selftune-build that wrote it" if found.code == "lock-from-the-future" else ""
        yield _problem(run, found.code, found.message, found.case, found.arm, fix)


def _changed(run: PackageRun) -> Iterator[Problem]:
    """A lock of today's tree and policy, on any side of a merge."""
    if all(side.tree != run.package.tree_digest for side in run.lock.locks):
        yield _problem(run, "tree-changed", "the files of the package are not those that the lock was written for")
    if all(side.policy != run.policy for side in run.lock.locks):
        yield _problem(run, "policy-changed", "gates, samples or policy are not those that the lock was written under")


def _declared(run: PackageRun) -> Manifest:
    """What a lock is written under: the package's own settings, whoever's it is judged by."""
    return run.package.declared or run.package.manifest


def _row_problems(run: PackageRun) -> Iterator[Problem]:
    tampered = {(found.case, found.arm) for found in run.lock.problems if found.agent == run.agent.name}
    for plan in run.plans:
        spec = plan.spec
        if not plan.missing or not run.wants(spec) or (spec.case.id, spec.arm) in tampered:
            continue
        (reason,) = plan.reasons
        origin = spec.case.origin
        path, line = (origin.at.path, origin.at.line) if origin is not None else (_lock_file(run), None)
        yield Problem(reason.code, plan.address, f"{spec.arm.value}: {reason.message}", path, line, _BUILD)


def _extra(run: PackageRun) -> Iterator[Problem]:
    wanted = {(spec.case.id, spec.arm.value) for spec in run.specs}
    for side in run.lock.locks:
        for case, arms in side.agents.get(run.agent.name, NOBODY).cases.items():
            extra = [arm for arm in arms if (case, arm) not in wanted]
            if extra:
                yield _problem(run, "case-extra", "the lock has evidence for a case that is not there", case, extra[0])


def _other_verdicts(settled: Settled) -> Iterator[Problem]:
    """Of a lock of today's rows, tree and policy the verdicts have to be today's, too."""
    run = settled.run
    waived = settled.outcome.accepted.rows
    open_rows = any(plan.row is None and place_of(plan.spec) not in waived for plan in run.plans)
    if len(run.lock.locks) != 1 or open_rows or [*_changed(run)]:
        return
    entry, declared = entry_of(run.lock, run.agent.name) or NOBODY, _declared(run)
    same = declared is run.package.manifest
    outcome = settled.outcome if same else decided(run, settled.outcome.rows, manifest=declared)
    gates = [gate for gate in outcome.gates if gate.id != "spec" or spec_profile(declared) == spec_profile(run.package.manifest)]
    supplied = [gate for gate in gates if not gate.code]
    unknown = {gate.id for gate in outcome.gates} - {gate.id for gate in supplied} | {gate.id for gate in gates_beside(run)}
    noted = {name: verdict for name, verdict in entry.gates.items() if name not in unknown}
    if noted != {gate.id: gate.verdict.value for gate in supplied}:
        yield _problem(run, "lock-tampered", "the verdicts in the lock do not follow from its rows")


def _other_waivers(run: PackageRun) -> Iterator[Problem]:
    """What a lock of today's tree says was accepted has to be what its manifest accepts, whoever's policy it is judged by."""
    accepted = set(_declared(run).accepted)
    for side in run.lock.locks:
        if side.tree == run.package.tree_digest and set(side.accepted) != accepted:
            yield _problem(run, "lock-tampered", "what the lock calls accepted is not what the manifest accepts")


def _gate_problems(run: PackageRun, gates: Iterable[GateResult]) -> Iterator[Problem]:
    for gate in gates:
        if gate.required and gate.verdict is Verdict.FAIL:
            yield _problem(run, "gate-failed", f"{gate.id}: {gate.message}", fix=None)


def _problem(
    run: PackageRun, code: str, message: str, case: str | None = None, arm: str | None = None, fix: str | None = _BUILD
) -> Problem:
    """About the lock as a whole, or about one of its rows."""
    target = run.package.handle if case is None else address(run.package.handle, _stage(run, case, arm or ""), case)
    return Problem(code, target, message, _lock_file(run), fix=fix)


def _stage(run: PackageRun, case: str, arm: str) -> Stage:
    return run.stage_of.get((case, arm)) or _STAGES.get(arm, Stage.REPLAY)


def _lock_file(run: PackageRun) -> str:
    path = lock_path(run.package)
    return path.name if run.package.path == "." else f"{run.package.path}/{path.name}"


def _with_fix(problem: Problem, run: PackageRun, place: Repeated) -> Problem:
    if problem.fix != _BUILD:
        return problem
    return msgspec.structs.replace(problem, fix=command("build", run.package.handle, place=place))
