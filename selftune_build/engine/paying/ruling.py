"""The judge's part of an invocation: when the samples are there, every open question gets its votes, then rows settle."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from selftune_build.engine.judging.judge import Judge
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.paying.asking import judge_asker
from selftune_build.engine.paying.breaker import Breaker
from selftune_build.engine.paying.budget import Purse
from selftune_build.engine.paying.keeping import Means
from selftune_build.engine.paying.pools import pool_of
from selftune_build.engine.paying.ran import Ran
from selftune_build.engine.paying.sampling import take_sample
from selftune_build.engine.paying.scheduler import Question, Work, run_rounds
from selftune_build.engine.paying.slots import Slots
from selftune_build.engine.paying.taken import Taken, TakenKind
from selftune_build.engine.request import BuildRequest, Surroundings
from selftune_build.errors import StoreError
from selftune_build.graph.targets import address
from selftune_build.model.manifest import Manifest
from selftune_build.stages.row import RowSpec
from selftune_build.store.atomic import store_errors


class _Asking(Struct, frozen=True):
    """How one judge is asked; `unavailable`: why it cannot be."""

    judge: Judge
    means: Means
    unavailable: str | None
    breaker: Breaker


class Rulings:
    """Asks the judges of several packages. Questions that are the same are asked once, whoever puts them."""

    def __init__(
        self,
        request: BuildRequest,
        purse: Purse,
        around: Surroundings,
        ran: Ran,
        stopped_by: Callable[[StoreError], Taken],
    ) -> None:
        self._request = request
        self._purse = purse
        self._around = around
        self._ran = ran
        self._stopped_by = stopped_by
        self._asking: dict[int, _Asking] = {}
        self._of: dict[str, _Asking] = {}
        self._manifests: list[Manifest] = []
        self._slots = Slots(request.jobs)

    def run(self, runs: Sequence[PackageRun]) -> None:
        """Take every vote that is missing, round by round, and note which questions belong to which row."""
        open_questions: dict[str, Question] = {}
        self._manifests = [run.package.manifest for run in runs]
        for run in runs:
            if run.judge is not None and run.package.path not in self._ran.held_back:
                self._collect(run, run.judge, open_questions)
        work = Work(
            take=self._take,
            counted=lambda spec: len(self._of[spec.key].judge.opinions.votes(spec)),
            commit_limits=lambda question: None,
            still_wanted=lambda question: not self._around.stop.is_set(),
            between_rounds=lambda questions: None,
            sampled=self._sampled,
            jobs=self._request.jobs,
        )
        run_rounds(list(open_questions.values()), work)

    def _collect(self, run: PackageRun, judge: Judge, found: dict[str, Question]) -> None:
        for plan in run.plans:
            if not plan.judging:
                continue
            for ruling in run.rulings(plan):
                spec = ruling.question
                if spec.key not in found:
                    found[spec.key] = Question((spec,), ruling.missing, spec.needed)
                    self._of[spec.key] = self._how(judge)
                self._ran.rulings.setdefault(plan.spec.place, []).append(found[spec.key])

    def _how(self, judge: Judge) -> _Asking:
        """Looked up once for each judge: whether it can be used may take a while to find out."""
        agent, around = judge.agent, self._around
        if id(agent) not in self._asking:
            ask = judge_asker(agent, judge.model, not self._request.no_exec, around.cancel)
            means = Means(
                judge.opinions,
                ask,
                agent.traits,
                self._purse,
                around.stop,
                around.cancel,
                around.progress.waiting,
                agent.name,
                self._request.first_sample,
                pool_of(agent, judge.model, self._manifests, judge.opinions.store),
                self._slots,
            )
            self._asking[id(agent)] = _Asking(judge, means, agent.unavailable(), Breaker("judge"))
            self._purse.expect(judge.opinions.costs)
        return self._asking[id(agent)]

    def _take(self, question: Question) -> Taken:
        spec = question.specs[0]
        how = self._of[spec.key]
        if how.unavailable is not None:
            return Taken(TakenKind.BROKE, message=how.unavailable)
        if how.breaker.open:
            return how.breaker.stopped
        try:
            with store_errors("keep a vote on", _row(spec)):
                taken = take_sample(spec, question.wanted, (), how.means)
        except StoreError as error:
            return self._stopped_by(error)
        if taken.kind is TakenKind.TIMED_OUT:  # of a judge that is no answer, and nothing to count
            taken = Taken(TakenKind.BROKE, taken.index, taken.message, taken.error)
        how.breaker.note(taken)
        return taken

    def _sampled(self, question: Question, taken: Taken) -> None:
        self._around.progress.sample(_row(question.specs[0]), taken.kind.value)


def _row(spec: RowSpec) -> str:
    return address(spec.package.handle, spec.stage, spec.case.id)
