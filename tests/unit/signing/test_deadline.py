"""Calls that would wait for others without end."""

from __future__ import annotations

import threading

import pytest

from selftune_build.signing.deadline import within


def test_what_comes_in_time_is_returned_or_raised() -> None:
    assert within(60, lambda: 7) == 7
    with pytest.raises(KeyError, match="gone"):
        within(60, lambda: {}["gone"])


def test_what_never_comes_is_left_behind() -> None:
    never = threading.Event()
    try:
        with pytest.raises(TimeoutError, match=r"no answer within 0\.01 s"):
            within(0.01, never.wait)
    finally:
        never.set()


def test_a_timeout_of_the_call_itself_is_its_own() -> None:
    def late() -> None:
        raise TimeoutError("theirs")

    with pytest.raises(TimeoutError, match="theirs"):
        within(60, late)
