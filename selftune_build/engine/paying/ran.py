"""What came of the paying part of an invocation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct, field

from selftune_build.engine.planning.plan import RowPlan
from selftune_build.errors import StoreError

if TYPE_CHECKING:  # threads, which nobody needs who runs nothing
    from selftune_build.engine.paying.scheduler import Question


class Ran(Struct):
    """What came of a run: every question that was open, and the packages on which no more was spent."""

    questions: list[Question] = field(default_factory=list)
    held_back: set[str] = field(default_factory=set)
    """Folders of packages that could not pass any more."""
    rulings: dict[tuple[str, str, str, str], list[Question]] = field(default_factory=dict)
    """What was asked of judges, by the place of the row it was asked for."""
    store_error: StoreError | None = None
    halted: bool = False
    """It was the store that made everything stop, and not the user."""
    _of: dict[tuple[str, str, str, str], Question] = field(default_factory=dict)
    """The same questions by the places of their rows: every row is looked up, and there may be very many of both."""

    def add(self, questions: Iterable[Question]) -> None:
        """Note questions that are put now; a row is part of one."""
        for question in questions:
            self.questions.append(question)
            self._of.update((spec.place, question) for spec in question.specs)

    def question_of(self, plan: RowPlan) -> Question | None:
        """The question that a row was part of."""
        return self._of.get(plan.spec.place)
