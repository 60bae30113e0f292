"""What a plan will cost, and who has to agree to it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from selftune_build.engine.planning.price import Price, price_of, refuse_or_confirm, smallest
from selftune_build.engine.request import BuildRequest
from selftune_build.errors import UndecidedError

LARGE, SMALL = Price(51, None), Price(50, Decimal(9))


def agreed(price: Price | None, answer: bool | None = None, budgeted: bool = False, **request: Any) -> list[str]:
    """The questions that were put. Raises UndecidedError where the plan may not go ahead."""
    questions: list[str] = []

    def confirm(question: str) -> bool | None:
        questions.append(question)
        return answer

    refuse_or_confirm(price, BuildRequest(Path(), **request), budgeted, confirm)
    return questions


def test_no_call_has_no_price() -> None:
    assert price_of(0, [Decimal(1)]) is None
    assert agreed(None) == []


def test_the_price_is_what_such_calls_have_cost_so_far() -> None:
    assert price_of(10, [Decimal("0.10"), Decimal("0.30")]) == Price(10, Decimal("0.20"))
    assert str(Price(10, Decimal("0.20"))) == "10 paid calls, about 2.00 USD"


def test_a_price_that_nobody_knows_is_not_guessed() -> None:
    assert str(price_of(10, [])) == "10 paid calls, price not known yet"


def test_a_small_plan_asks_nobody() -> None:
    assert agreed(SMALL) == []


def test_a_large_plan_goes_ahead_where_somebody_says_yes() -> None:
    assert agreed(LARGE, answer=True) == ["51 paid calls, price not known yet. Go on?"]


@pytest.mark.parametrize("request_", [{"assume_yes": True}, {"max_calls": 60}, {"max_calls": 0}, {"max_cost": Decimal(1)}])
def test_a_large_plan_asks_nobody_where_the_command_line_bounds_it(request_: dict[str, Any]) -> None:
    assert agreed(LARGE, answer=False, **request_) == []


def test_a_large_plan_asks_nobody_where_the_manifest_bounds_it() -> None:
    assert agreed(LARGE, answer=False, budgeted=True) == []


def test_where_nobody_can_be_asked_a_large_plan_is_refused_with_what_would_let_it_go() -> None:
    with pytest.raises(UndecidedError, match="nothing was run: 51 paid calls") as caught:
        agreed(LARGE)
    assert (caught.value.exit_status, caught.value.code) == (3, "not-confirmed")
    assert "--max-calls" in str(caught.value.hint)


def test_no_means_no() -> None:
    with pytest.raises(UndecidedError, match="as you said"):
        agreed(LARGE, answer=False)


@pytest.mark.parametrize(("values", "least"), [([], None), ([None, None], None), ([None, 3, 2], 2), ([0, 5], 0)])
def test_the_tightest_of_several_limits_wins(values: list[int | None], least: int | None) -> None:
    assert smallest(values) == least
