"""Rounds of samples over a pool of threads: round r takes sample r of every case, whatever the number of jobs is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct, field

from selftune_build.engine.paying.slots import threads_for
from selftune_build.engine.paying.taken import Taken, TakenKind
from selftune_build.engine.planning.plan import RowPlan, by_key
from selftune_build.limits import SCHEDULER_ROUNDS
from selftune_build.stages.row import RowSpec


class Question(Struct):
    """Rows that ask the same and are staged alike: one run of samples serves them all."""

    specs: tuple[RowSpec, ...]
    missing: int
    wanted: int
    """Samples that should speak for its rows in the end."""
    run: int = 0
    timed_out: list[int] = field(default_factory=list)
    trouble: Taken | None = None
    """Why no more samples are taken, where that is so before enough are there."""

    @property
    def open(self) -> bool:
        """Whether another sample should be taken."""
        return self.missing > 0 and self.trouble is None


class Work(Struct, frozen=True):
    """The means of one run, shared by every question."""

    take: Callable[[Question], Taken]
    counted: Callable[[RowSpec], int]
    """Samples that speak for a row now."""
    commit_limits: Callable[[Question], None]
    still_wanted: Callable[[Question], bool]
    """False where no outcome could still matter, or the user wants to stop."""
    between_rounds: Callable[[Sequence[Question]], None]
    sampled: Callable[[Question, Taken], None]
    jobs: int


def questions(plans: Iterable[RowPlan]) -> list[Question]:
    """The open questions of a plan, in the order of the plan."""
    groups = by_key(plan for plan in plans if plan.missing).values()
    return [_question(group) for group in groups]


def _question(group: Sequence[RowPlan]) -> Question:
    missing = max(plan.missing for plan in group)
    there = max(len(plan.counted.samples) for plan in group)
    return Question(tuple(plan.spec for plan in group), missing, there + missing)


def run_rounds(open_questions: Sequence[Question], work: Work) -> None:
    """Take samples until no question is open. Between rounds the questions that no longer matter are dropped."""
    with ThreadPoolExecutor(max_workers=threads_for(work.jobs), thread_name_prefix="sample") as pool:
        for _ in range(SCHEDULER_ROUNDS):
            round_questions = [question for question in open_questions if question.open and work.still_wanted(question)]
            if not round_questions:
                break
            list(pool.map(lambda question: _one(question, work), round_questions))
            work.between_rounds([question for question in open_questions if question.open])
    for question in open_questions:
        _settle_limits(question, work)


def _one(question: Question, work: Work) -> None:
    if not work.still_wanted(question):
        return
    taken = work.take(question)
    _note(question, taken)
    if question.missing <= 0 and question.trouble is None:
        question.missing = _shortage(question, work)
    work.sampled(question, taken)


def _note(question: Question, taken: Taken) -> None:
    if taken.kind is TakenKind.TIMED_OUT and taken.index is not None:
        question.timed_out.append(taken.index)
        question.missing -= 1
    elif taken.kind in (TakenKind.ANSWERED, TakenKind.FOUND):
        question.run += taken.kind is TakenKind.ANSWERED
        question.missing -= 1
    else:
        question.trouble = taken


def _shortage(question: Question, work: Work) -> int:
    """A new cohort can observe more than the older ones, which then no longer count: look again."""
    return max(0, *(spec.needed - work.counted(spec) - len(question.timed_out) for spec in question.specs))


def _settle_limits(question: Question, work: Work) -> None:
    """A sample that hit its limit twice is a failed one, where its case was answered at all; else nothing is known."""
    if not question.timed_out:
        return
    if work.counted(question.specs[0]):
        work.commit_limits(question)
    elif question.trouble is None:
        question.trouble = Taken(TakenKind.BROKE, message="it never answered within its time limit")
