"""Calls of libraries that wait for others as long as it takes, ended after a while."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from typing import TypeVar

_T = TypeVar("_T")


def within(seconds: float, call: Callable[[], _T]) -> _T:
    """What a call returns or raises. Raises TimeoutError after the time: its thread is left behind, and ends with the process."""
    outcome: Future[_T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return outcome.result(seconds)
    except Late:
        if outcome.done():
            raise
        raise TimeoutError(f"no answer within {seconds:g} s") from None
