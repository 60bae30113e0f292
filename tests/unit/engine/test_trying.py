"""How often a call is tried, what it is charged, and whom it has to wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import Struct

from selftune_build.agents.protocol import AgentFailure
from selftune_build.engine.paying.breaker import Breaker
from selftune_build.engine.paying.budget import Purse
from selftune_build.engine.paying.slots import Slots, threads_for
from selftune_build.engine.paying.taken import Taken, TakenKind
from selftune_build.engine.paying.trying import Enter, tried
from selftune_build.limits import SAMPLE_REFUSALS
from selftune_build.model.manifest import PoolSetting
from selftune_build.model.sample import ErrorKind, Usage
from selftune_build.process import NotStarted
from selftune_build.store import pool as pools
from selftune_build.store.pool import Pool, Pools


class Paying(Struct):
    """What `tried` needs."""

    purse: Purse
    pool: Pool | None
    stop: threading.Event
    cancel: threading.Event
    waiting: Callable[[str], None] = print
    slots: Slots | None = None


@pytest.fixture
def means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paying:
    monkeypatch.setattr("selftune_build.store.pool_state.POOL_PAUSE_S", 0.001)
    monkeypatch.setattr("selftune_build.engine.paying.trying.SAMPLE_BACKOFF_S", 0.001)
    return Paying(Purse(), Pools(tmp_path).of("house", None, PoolSetting()), threading.Event(), threading.Event())


def failing(*kinds: ErrorKind, before: Callable[[], object] = lambda: None) -> Callable[[Enter], None]:
    """A call that fails so often, of these, and then brings an answer."""
    left = list(kinds)

    def call(enter: Enter) -> None:
        enter()
        before()
        if left:
            kind = left.pop(0)
            raise AgentFailure(kind, kind.value, retry_after_s=0 if kind is ErrorKind.RATE_LIMIT else None)

    return call


def test_three_refusals_end_a_question_where_nobody_is_answered(means: Paying) -> None:
    assert tried(failing(*[ErrorKind.RATE_LIMIT] * 9), 7, means) == Taken(TakenKind.BROKE, 7, "rate-limit", ErrorKind.RATE_LIMIT)
    assert means.purse.calls == 3


@pytest.mark.parametrize(("refusals", "kind", "calls"), [(9, TakenKind.ANSWERED, 10), (99, TakenKind.BROKE, SAMPLE_REFUSALS)])
def test_while_others_are_answered_a_refusal_is_no_try_but_not_for_ever(
    refusals: int, kind: TakenKind, calls: int, means: Paying
) -> None:
    assert means.pool is not None
    turn = means.pool.enter(print, means.stop)
    assert turn is not None
    assert tried(failing(*[ErrorKind.RATE_LIMIT] * refusals, before=turn.answered), 0, means).kind is kind
    assert means.purse.calls == calls


def test_a_pause_of_hours_is_told_and_not_waited_for_and_nothing_is_counted(means: Paying) -> None:
    assert means.pool is not None
    turn = means.pool.enter(print, means.stop)
    assert turn is not None
    turn.refused(7200)
    assert tried(failing(), 0, means).message == "the service asked everybody to come back in 2 h"
    assert means.purse.calls == 0


def test_a_call_that_was_never_sent_is_given_back(means: Paying) -> None:
    def call(_enter: Enter) -> None:
        raise NotStarted("no room")

    with pytest.raises(NotStarted):
        tried(call, 0, means)
    means.stop.set()
    assert tried(failing(), 0, means).kind is TakenKind.STOPPED
    assert means.purse.calls == 0


def test_a_wait_that_is_stopped_is_given_back(means: Paying, monkeypatch: pytest.MonkeyPatch) -> None:
    assert means.pool is not None
    turn = means.pool.enter(print, means.stop)
    assert turn is not None
    turn.refused(600)
    means.waiting = lambda line: means.stop.set()
    assert tried(failing(), 0, means) == Taken(TakenKind.STOPPED, 0)
    assert means.purse.calls == 0


def test_without_a_pool_nobody_is_waited_for(means: Paying, monkeypatch: pytest.MonkeyPatch) -> None:
    means.pool = None
    monkeypatch.setattr(pools, "now_ms", None)
    assert tried(failing(ErrorKind.CRASH, ErrorKind.CRASH), 0, means).kind is TakenKind.ANSWERED


def test_two_time_limits_are_what_there_is_to_say(means: Paying) -> None:
    assert tried(failing(*[ErrorKind.TIMEOUT] * 3), 0, means).kind is TakenKind.TIMED_OUT


TIMED_OUT = Taken(TakenKind.TIMED_OUT, 0, "late", ErrorKind.TIMEOUT)
BROKE = Taken(TakenKind.BROKE, 0, "boom", ErrorKind.CRASH)


@pytest.mark.parametrize(("ends", "is_open"), [([TIMED_OUT] * 4, False), ([TIMED_OUT] * 5, True), ([BROKE] * 3, True)])
def test_a_breaker_believes_time_limits_later(ends: list[Taken], is_open: bool) -> None:
    breaker = Breaker()
    for end in ends:
        breaker.note(end)
    assert breaker.open is is_open


def test_one_answer_and_a_breaker_never_opens() -> None:
    breaker = Breaker("judge")
    for end in (Taken(TakenKind.ANSWERED, 0), *[TIMED_OUT] * 9, *[BROKE] * 9):
        breaker.note(end)
    assert not breaker.open
    assert breaker.stopped.message == "stopped: the judge breaks each time"


def test_a_call_is_held_at_what_others_have_cost_until_it_is_settled() -> None:
    purse = Purse(max_cost=Decimal(1))
    purse.expect([Decimal("0.3"), Decimal("0.5")])
    assert [purse.reserve() for _ in range(3)] == [True, True, False]
    purse.settle(Usage(cost_usd="0.1"))
    assert (purse.each, purse.left) == (Decimal("0.3"), (None, Decimal("0.5")))
    assert [purse.reserve(), purse.reserve()] == [True, False]


@pytest.mark.parametrize("usage", [None, Usage(unpriced=True)])
def test_what_nobody_told_stays_held_and_is_no_cost(usage: Usage | None) -> None:
    purse = Purse(max_cost=Decimal(1))
    purse.expect([Decimal("0.4")])
    assert purse.reserve()
    purse.settle(usage)
    assert (purse.cost, purse.left, purse.reserve(), purse.reserve()) == (0, (None, Decimal("0.6")), True, False)


def test_what_was_given_back_can_be_spent() -> None:
    purse = Purse(max_calls=1, max_cost=Decimal(1))
    purse.expect([Decimal(1)])
    assert [purse.reserve(), purse.reserve()] == [True, False]
    purse.give_back()
    assert (purse.calls, purse.reserve()) == (0, True)


def test_parts_have_prices_of_their_own_and_spend_out_of_one_purse() -> None:
    whole = Purse(max_cost=Decimal(10))
    agents, judges = Purse(whole=whole), Purse(whole=whole)
    agents.expect([Decimal(4)])
    judges.expect([Decimal(1)])
    assert [agents.reserve(), judges.reserve(), agents.reserve(), agents.reserve(), judges.reserve()] == [True] * 3 + [
        False,
        True,
    ]
    agents.settle(Usage(cost_usd="6"))
    judges.settle(None)
    assert (agents.cost, judges.cost, whole.cost, whole.calls, whole.left[1]) == (6, 0, 6, 4, Decimal(-2))


def test_so_many_calls_run_at_once_and_a_few_more_threads_wait_for_them(means: Paying) -> None:
    means.slots = Slots(4)
    inside, most, guard, whole = 0, 0, threading.Lock(), threading.Barrier(4)

    def call(enter: Enter) -> None:
        nonlocal inside, most
        over = enter()
        with guard:
            inside += 1
            most = max(most, inside)
        whole.wait(60)  # all slots are used, or nobody gets on
        with guard:
            inside -= 1
        over()

    with ThreadPoolExecutor(threads_for(4)) as pool:
        kinds = [taken.kind for taken in pool.map(lambda index: tried(call, index, means), range(20))]
    assert (kinds, most, threads_for(4), threads_for(1)) == ([TakenKind.ANSWERED] * 20, 4, 5, 1)


def test_who_waits_for_a_slot_can_be_stopped(means: Paying) -> None:
    means.slots = Slots(1)
    assert means.slots.take(means.stop) is not None
    means.stop.set()
    assert means.slots.take(means.stop) is None


def test_what_was_turned_away_says_nothing_of_the_price() -> None:
    purse = Purse()
    for cost in ("0.4", "0", "0"):
        assert purse.reserve()
        purse.settle(Usage(cost_usd=cost))
    assert purse.each == Decimal("0.4")
