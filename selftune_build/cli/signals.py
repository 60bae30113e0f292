"""Ctrl-C: the first stops launching and drains, the second ends what is running. SIGTERM and SIGHUP are the second at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruptible(stop: threading.Event, cancel: threading.Event, say: Callable[[str], None]) -> Iterator[None]:
    """Turn signals into events while an invocation runs; the handlers of before come back afterwards.

    `say` is called from a signal handler. A signal that is ignored (nohup, a job in the background) stays ignored.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            cancel.set()
            return
        stop.set()
        say("interrupted: what is running is finished and kept; once more ends it now")

    def terminate(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        cancel.set()

    wanted = {signal.SIGINT: interrupt, signal.SIGTERM: terminate, signal.SIGHUP: terminate}
    heeded = {number: handler for number, handler in wanted.items() if signal.getsignal(number) is not signal.SIG_IGN}
    before = {number: signal.signal(number, handler) for number, handler in heeded.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interrupting() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt while a question waits for its answer: nothing is running that could be finished."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
