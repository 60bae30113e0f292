"""What an invocation may spend."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from selftune_build.engine.paying.budget import Purse
from selftune_build.model.sample import Usage


def test_without_limits_every_call_is_allowed_and_counted() -> None:
    purse = Purse()
    assert all(purse.reserve() for _ in range(100))
    assert purse.calls == 100


def test_the_call_that_would_pass_the_limit_is_refused_and_not_counted() -> None:
    purse = Purse(max_calls=2)
    assert [purse.reserve() for _ in range(4)] == [True, True, False, False]
    assert purse.calls == 2


def test_a_budget_of_nothing_allows_nothing() -> None:
    assert not Purse(max_calls=0).reserve()
    assert not Purse(max_cost=Decimal(0)).reserve()


def test_money_that_is_spent_stops_the_next_call() -> None:
    purse = Purse(max_cost=Decimal("0.30"))
    for cost, allowed in (("0.1", True), ("0.1", True), ("0.1", True), ("0", False)):
        assert purse.reserve() is allowed
        purse.settle(Usage(cost_usd=cost))
    assert purse.cost == Decimal("0.3")


def test_tenths_of_a_cent_add_up_exactly() -> None:
    purse = Purse()
    for _ in range(1000):
        purse.settle(Usage(cost_usd="0.001"))
    assert purse.cost == 1


def test_an_agent_that_does_not_tell_costs_nothing_that_is_known() -> None:
    purse = Purse(max_cost=Decimal(1))
    purse.settle(None)
    assert (purse.cost, purse.reserve()) == (0, True)


def test_many_threads_never_pass_the_limit_together() -> None:
    purse = Purse(max_calls=50)
    with ThreadPoolExecutor(16) as pool:
        allowed = list(pool.map(lambda _: purse.reserve(), range(400)))
    assert (sum(allowed), purse.calls) == (50, 50)
