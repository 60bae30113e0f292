"""What is known of a service that refuses: pauses, how many calls at once, and what of that nobody can have meant."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftune_build.limits import POOL_DEADLINE_S, POOL_FORGET_S, POOL_PAUSE_MAX_S
from selftune_build.store.pool_state import NOTHING, PoolState, answered, decoded, encoded, refused, started

NOW = 1_800_000_000_000
HOUR = 3_600_000


def state(**fields: Any) -> PoolState:
    return PoolState(noted_ms=NOW, **fields)


def test_a_time_that_the_service_names_is_kept_to_the_millisecond() -> None:
    assert refused(NOTHING, NOW, NOW - 100, 8, 0.5, retry_after_s=12.345).not_before_ms == NOW + 12_345


def test_a_time_of_nothing_is_a_short_pause_all_the_same() -> None:
    assert refused(NOTHING, NOW, NOW - 100, 8, 0.0, retry_after_s=0).not_before_ms == NOW + 250


def test_a_refusal_halves_the_calls_at_once() -> None:
    assert [refused(NOTHING, NOW, NOW - 1, at_once, 0.0).width for at_once in (32, 3, 1)] == [16, 1, 1]
    assert refused(state(width=4), NOW + 9, NOW + 5, 32, 0.0).width == 2


def test_calls_that_were_on_their_way_tell_of_the_same_refusal() -> None:
    """Else 32 calls at once would leave a width of one and a pause of an hour."""
    first = refused(NOTHING, NOW, NOW - 500, 32, 0.0)
    again = first
    for _ in range(31):
        again = refused(again, NOW + 3, NOW - 400, 32, 0.0, retry_after_s=2)
    assert (again.width, again.refusals, again.not_before_ms) == (16, 1, NOW + 2003)


@pytest.mark.parametrize("jitter", [0.0, 0.999])
def test_pauses_grow_twofold_up_to_a_limit_where_nobody_answers(jitter: float) -> None:
    after, now, pauses = NOTHING, NOW, []
    for _ in range(40):
        after = refused(after, now, now - 1, 8, jitter)
        pauses.append(after.not_before_ms - now)
        now = after.not_before_ms + 10
    assert pauses[:4] == [round(250 * (1 + jitter) * 2**n) for n in range(4)]
    assert max(pauses) <= POOL_PAUSE_MAX_S * 1000


def test_answers_widen_it_one_by_one() -> None:
    after, widths = refused(NOTHING, NOW, NOW - 1, 4, 0.0), []
    for _ in range(9):
        after = answered(after)
        widths.append(after.width)
    assert widths == [2, 3, 3, 3, 4, 4, 4, 4, 5]
    assert after.refusals == 0


def test_an_answer_tells_nothing_where_nobody_was_refused() -> None:
    assert answered(NOTHING) == NOTHING


GARBAGE = [
    *(None, b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000),
    *(b'{"format":"selftune.pool/2"}', b'{"unheard":1}', b'{"width":0}', b'{"width":"4"}', b'{"refusals":-1}'),
    *(b'{"not_before_ms":1e999}', b'{"not_before_ms":1900000000000}', b'{"noted_ms":99999999999999999999999}'),
]


@pytest.mark.parametrize("content", GARBAGE)
def test_garbage_is_nothing(content: bytes | None) -> None:
    assert decoded(content, NOW) == NOTHING


@given(st.binary(max_size=200))
def test_no_content_makes_anybody_wait_longer_than_a_day(content: bytes) -> None:
    assert decoded(content, NOW).wait_ms(NOW) <= POOL_DEADLINE_S * 1000 + 2_000


NUMBERS = st.fixed_dictionaries(dict.fromkeys(("noted_ms", "not_before_ms", "refusals", "next_ms"), st.integers(-(2**62), 2**62)))


@given(NUMBERS)
def test_no_numbers_make_anybody_wait_longer_than_a_day(fields: dict[str, int]) -> None:
    read = decoded(json.dumps(fields).encode(), NOW)
    assert read.wait_ms(NOW) <= POOL_DEADLINE_S * 1000 + 2_000
    assert read.turn_ms(NOW) <= 60_000
    assert refused(read, NOW, NOW, 8, 0.5).wait_ms(NOW) <= POOL_DEADLINE_S * 1000 + 2_000


def test_a_state_is_read_as_it_was_written() -> None:
    noted = state(not_before_ms=NOW + 5_000, refusals=2, width=3, answers=1, next_ms=NOW + 7)
    assert decoded(encoded(noted), NOW + 1) == noted


def test_after_a_clock_was_set_back_a_pause_is_over() -> None:
    noted = state(not_before_ms=NOW + 5_000, width=1)
    assert decoded(encoded(noted), NOW - HOUR) == NOTHING
    assert decoded(encoded(noted), NOW - 1_000) == noted  # clocks are corrected by so much all the time
    assert started(NOTHING, NOW, 1).turn_ms(NOW - HOUR) == 0


def test_after_ten_quiet_minutes_nothing_is_known_any_more() -> None:
    noted = state(not_before_ms=NOW + 5_000, width=1)
    later = NOW + 5_000 + POOL_FORGET_S * 1000
    assert (decoded(encoded(noted), later - 1), decoded(encoded(noted), later)) == (noted, NOTHING)


@pytest.mark.parametrize(("per_minute", "apart_ms"), [(1, 60_000), (60, 1_000), (7, 8_572), (60_000, 1)])
def test_calls_per_minute_are_spread_evenly(per_minute: int, apart_ms: int) -> None:
    after = started(NOTHING, NOW, per_minute)
    assert (after.turn_ms(NOW), after.turn_ms(NOW + apart_ms)) == (apart_ms, 0)
