"""The paying part of an invocation: wave after wave, each package only as long as it can still pass."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from selftune_build.checks.execute import command_executor
from selftune_build.engine.judging.evidence import SCRIPT_TRAITS
from selftune_build.engine.outcome import decided, judge_plans, required_gates
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.paying.asking import agent_asker, script_asker
from selftune_build.engine.paying.breaker import Breaker
from selftune_build.engine.paying.budget import Purse, Purses
from selftune_build.engine.paying.keeping import Means
from selftune_build.engine.paying.pools import pool_of
from selftune_build.engine.paying.ran import Ran
from selftune_build.engine.paying.ruling import Rulings
from selftune_build.engine.paying.sampling import commit_limit, take_sample
from selftune_build.engine.paying.scheduler import Question, Work, questions, run_rounds
from selftune_build.engine.paying.slots import Slots
from selftune_build.engine.paying.taken import Taken, TakenKind
from selftune_build.engine.planning.plan import RowPlan, answered
from selftune_build.engine.request import BuildRequest, Surroundings
from selftune_build.errors import StoreError, UndecidedError
from selftune_build.gates.foresight import Suite, still_open
from selftune_build.graph.builder import build_graph, waves
from selftune_build.graph.targets import Target, address
from selftune_build.model.case import Arm
from selftune_build.model.lock import Row
from selftune_build.model.verdict import Verdict
from selftune_build.store.atomic import store_errors

if TYPE_CHECKING:
    from selftune_build.engine.executing.sending import Sender


class Runner:
    """Runs the plans of several packages under one agent, then puts the questions of their checks to their judges."""

    def __init__(self, runs: Sequence[PackageRun], request: BuildRequest, purses: Purses, around: Surroundings) -> None:
        self.runs = runs
        self.request = request
        self.around = around
        self.ran = Ran()
        agent, evidence = runs[0].agent, runs[0].evidence
        self._purses = purses
        paying = any(plan.missing for run in runs for plan in run.plans)
        model = runs[0].asking.model
        sender = _sender(runs, request, around) if paying else None
        self._unavailable = agent.unavailable() if paying and sender is None else None
        self._jobs = sender.jobs if sender is not None else request.jobs
        pool = pool_of(agent, model, [run.package.manifest for run in runs], evidence.store)
        slots = Slots(self._jobs)
        purses.agents.expect(evidence.costs)
        asks = {
            True: (script_asker(around.cancel), SCRIPT_TRAITS, Purse(), None),
            False: (agent_asker(agent, model, not request.no_exec, around.cancel), agent.traits, purses.agents, pool),
        }
        self.means = {
            script: Means(
                evidence,
                ask,
                traits,
                pays,
                around.stop,
                around.cancel,
                around.progress.waiting,
                agent.name,
                request.first_sample,
                pool,
                slots,
                sender,
            )
            for script, (ask, traits, pays, pool) in asks.items()
        }
        self._of = {run.package.path: run for run in runs}
        self._guard = threading.Lock()
        self._breaker = Breaker()

    def run(self) -> Ran:
        """Wave after wave of the graph; a package whose required gates already said no is held back."""
        stale: dict[Target, list[RowPlan]] = {}
        for plan in (plan for run in self.runs for plan in run.plans if plan.missing):
            stale.setdefault(Target(plan.spec.package.path, plan.spec.stage), []).append(plan)
        for wave in waves(build_graph({target.package for target in stale}), stale):
            self._hold_back()
            asked = questions(plan for target in wave for plan in stale[target])
            self.ran.add(asked)
            self._rounds(asked)
        self._rule()
        return self.ran

    def _rule(self) -> None:
        """The judges' part; nothing of it for a package that could not pass whatever they say."""
        self._hold_back()
        for run in self.runs if not self.request.keep_going else ():
            if any(plan.judging for plan in run.plans) and not self._can_pass(run, {}):
                self.ran.held_back.add(run.package.path)
        Rulings(self.request, self._purses.judges, self.around, self.ran, self._stopped_by).run(self.runs)

    def _rounds(self, asked: Sequence[Question]) -> None:
        work = Work(
            take=self._take,
            counted=lambda spec: answered(self._of[spec.package.path].evidence.counted(spec)),
            commit_limits=self._commit_limits,
            still_wanted=self._still_wanted,
            between_rounds=self._between_rounds,
            sampled=self._sampled,
            jobs=self._jobs,
        )
        run_rounds(asked, work)

    def _means(self, question: Question) -> Means:
        return self.means[question.specs[0].arm is Arm.SCRIPT]

    def _take(self, question: Question) -> Taken:
        spec = question.specs[0]
        if self.request.no_exec and spec.arm is Arm.SCRIPT:
            return Taken(TakenKind.STOPPED, message="scripts of the package are not run under --no-exec")
        if self._unavailable is not None and spec.arm is not Arm.SCRIPT:
            return Taken(TakenKind.BROKE, message=self._unavailable)
        if spec.arm is Arm.SCRIPT:
            return self._sample(question)
        if self._breaker.open:
            return self._breaker.stopped
        taken = self._sample(question)
        self._breaker.note(taken)
        return taken

    def _sample(self, question: Question) -> Taken:
        spec = question.specs[0]
        try:
            with store_errors("take a sample of", address(spec.package.handle, spec.stage, spec.case.id)):
                return take_sample(spec, question.wanted, question.timed_out, self._means(question))
        except StoreError as error:
            return self._stopped_by(error)

    def _stopped_by(self, error: StoreError) -> Taken:
        with self._guard:
            self.ran.store_error = self.ran.store_error or error
            self.ran.halted = self.ran.halted or not self.around.stop.is_set()
            self.around.stop.set()
        return Taken(TakenKind.STOPPED)

    def _commit_limits(self, question: Question) -> None:
        try:
            for index in question.timed_out:
                commit_limit(question.specs[0], index, self._means(question))
        except UndecidedError:
            question.trouble = Taken(TakenKind.STOPPED)
        except StoreError as error:
            question.trouble = self._stopped_by(error)

    def _still_wanted(self, question: Question) -> bool:
        if self.around.stop.is_set():
            return False
        return any(spec.package.path not in self.ran.held_back for spec in question.specs)

    def _sampled(self, question: Question, taken: Taken) -> None:
        spec = question.specs[0]
        self.around.progress.sample(address(spec.package.handle, spec.stage, spec.case.id), taken.kind.value)

    def _hold_back(self) -> None:
        """What is known before the first call: a package that hosts refuse, or whose scripts do not work."""
        if self.request.keep_going:
            return
        for run in self.runs:
            if any(not plan.settled for plan in run.plans) and any(
                gate.required and gate.verdict is Verdict.FAIL and gate.id in ("spec", "security", "unit-tests")
                for gate in decided(run, self._rows(run)).gates
            ):
                self.ran.held_back.add(run.package.path)

    def _between_rounds(self, open_questions: Sequence[Question]) -> None:
        """Stop a package when no outcome of the samples left could still pass a required gate."""
        if self.request.keep_going:
            return
        left = _left(open_questions)
        for run in self.runs:
            path = run.package.path
            if path in left and not self._can_pass(run, left[path]):
                self.ran.held_back.add(path)

    def _can_pass(self, run: PackageRun, left: dict[str, dict[str, int]]) -> bool:
        package, manifest, rows = run.package, run.package.manifest, self._rows(run)
        suite = Suite(package.evals, package.unit_tests, run.measures_outcome)
        required = required_gates(decided(run, rows).gates)
        return still_open(suite, manifest.gates, manifest.samples.confidence, rows, left, required)

    def _rows(self, run: PackageRun) -> dict[str, dict[str, Row]]:
        execute = None if self.request.no_exec else command_executor(run.package, cancel=self.around.cancel)
        return judge_plans(run, execute)[0]


def _sender(runs: Sequence[PackageRun], request: BuildRequest, around: Surroundings) -> Sender | None:
    if around.cluster is None:
        return None
    from selftune_build.engine.executing.sending import sender_for

    return sender_for(runs, request, around.cluster)


def _left(open_questions: Iterable[Question]) -> dict[str, dict[str, dict[str, int]]]:
    """How many samples rows lack, by the folder of their package, case and arm."""
    left: dict[str, dict[str, dict[str, int]]] = {}
    for question in open_questions:
        for spec in question.specs:
            left.setdefault(spec.package.path, {}).setdefault(spec.case.id, {})[spec.arm.value] = question.missing
    return left
