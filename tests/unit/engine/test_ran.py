"""What came of a run is looked up for every row of a workspace."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from selftune_build.engine.paying.ran import Ran
from selftune_build.engine.paying.scheduler import Question


class Spec:
    """A row that can be told from others by its place alone."""

    def __init__(self, case: str) -> None:
        self.place = ("pdf", "replay", "with_skill", case)

    def __eq__(self, _other: object) -> bool:
        raise AssertionError("rows are not compared: there may be a hundred thousand")

    __hash__ = object.__hash__


def plan(case: str) -> Any:
    return SimpleNamespace(spec=Spec(case))


def test_the_question_of_a_row_is_found_without_a_look_at_the_others() -> None:
    specs: list[Any] = [Spec(str(number)) for number in range(6)]
    put = [Question((first, second), 1, 1) for first, second in zip(specs[::2], specs[1::2], strict=True)]
    ran = Ran()
    ran.add(put[:2])
    ran.add(put[2:])
    assert [question is ran.question_of(plan(str(number))) for number in range(6) for question in [put[number // 2]]] == [
        True
    ] * 6
    assert ran.question_of(plan("6")) is None
    assert [question is noted for question, noted in zip(put, ran.questions, strict=True)] == [True] * 3
