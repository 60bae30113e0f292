"""What a call of an earlier process has left behind: an answer to use for free, or a question whose outcome is unknown."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from msgspec import Struct

from selftune_build.errors import UndecidedError
from selftune_build.limits import STORE_ORPHAN_GRACE_S, STORE_ORPHAN_POLL_S
from selftune_build.store import guard
from selftune_build.store.archive import Attempt, Intent
from selftune_build.store.atomic import store_errors
from selftune_build.store.quarantine import move_aside
from selftune_build.store.wip import ARCHIVE_SUFFIX, WIP_SUFFIX, Call, read_intent

UNKNOWN = "unknown"
"""Kind of an attempt that was sent and whose outcome nobody knows: it counts as spent."""


class Orphan(Struct, frozen=True):
    """A call left behind. Answered: `call` is open and waits for commit or fail. Else it is kept as an attempt already."""

    intent: Intent
    raw: bytes
    call: Call | None


class Recovery(Struct, frozen=True):
    """Who decides and who is told while calls left behind are looked at."""

    is_answer: Callable[[bytes], bool]
    waiting: Callable[[str], None]
    warn: Callable[[str], None]
    cancel: threading.Event | None = None


def adopt(
    path: Path, recovery: Recovery, attempts: Callable[[str], list[Attempt]], number: Callable[[str], int]
) -> Orphan | None:
    """Look at one file of a call in flight, waiting while it is still being answered; None where nothing is left to tell.

    Raises StoreError, and UndecidedError when cancelled while waiting.
    """
    with store_errors("open", path):
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    try:
        intent = _intent(path, descriptor, recovery.warn)
    except BaseException:
        os.close(descriptor)
        raise
    if intent is None:
        os.close(descriptor)
        return None
    call = Call(path, descriptor, intent, True, partial(number, intent.call_id))
    try:
        if _is_kept_already(call, attempts(intent.call_id)):
            call.withdraw()
            return None
        _wait_for_the_answer(path, descriptor, intent, recovery)
        if _is_kept_already(call, attempts(intent.call_id)):  # by the worker that was waited for
            call.withdraw()
            return None
        return _settle(call, recovery.is_answer)
    except BaseException:
        call.close()
        raise


def _is_kept_already(call: Call, attempts: list[Attempt]) -> bool:
    """A kill between archive and clean-up leaves a file that only has to go."""
    archive = call.path.with_name(call.path.name.removesuffix(WIP_SUFFIX) + ARCHIVE_SUFFIX)
    return archive.exists() or any(attempt.started == call.intent.started for attempt in attempts)


def _settle(call: Call, is_answer: Callable[[bytes], bool]) -> Orphan:
    raw = call.raw()
    if is_answer(raw):
        return Orphan(call.intent, raw, call)
    call.fail(UNKNOWN, f"sent at {call.intent.started}, outcome unknown: the process that asked has ended")
    return Orphan(call.intent, raw, None)


def _intent(path: Path, descriptor: int, warn: Callable[[str], None]) -> Intent | None:
    """The intent; None where it is torn (the file goes) or is none at all (it is moved aside)."""
    try:
        with store_errors("read", path):
            intent = read_intent(descriptor)
        if intent is None:
            with store_errors("remove", path):
                path.unlink(missing_ok=True)
        elif f"{intent.call_id.removeprefix('sha256:')}{WIP_SUFFIX}" != path.name:
            raise ValueError("belongs to another call")
        return intent
    except ValueError as error:
        move_aside(path, str(error), warn)
        return None


def _wait_for_the_answer(path: Path, descriptor: int, intent: Intent, recovery: Recovery) -> None:
    here = intent.machine in ("", guard.machine())
    if here and guard.try_hold(descriptor):
        return
    left = _seconds_left(intent)
    if left > 0:
        who = "an agent started earlier" if here else "an agent on another machine, which may have ended,"
        recovery.waiting(f"{who} is still answering ({path}); waiting up to {left:.0f} s for it")
    until = time.monotonic() + left
    if here:
        guard.wait_for(descriptor, until, recovery.cancel)
    else:
        _wait_for_the_end(path, until, recovery.cancel)
    if recovery.cancel is not None and recovery.cancel.is_set():
        raise UndecidedError(f"stopped waiting for {path}")


def _wait_for_the_end(path: Path, until: float, cancel: threading.Event | None) -> None:
    """Until the file is gone, because whoever wrote it has kept what came, or its time is over: a guard of another machine may
    not be seen here."""
    cancel = cancel or threading.Event()
    while path.exists() and time.monotonic() < until and not cancel.wait(STORE_ORPHAN_POLL_S):
        pass


def _seconds_left(intent: Intent) -> float:
    """Bounded by the call's own limit, whatever the clock did meanwhile."""
    most = intent.timeout_s + STORE_ORPHAN_GRACE_S
    try:
        started = datetime.fromisoformat(intent.started)
        passed = (datetime.now(UTC) - started).total_seconds()
    except (ValueError, TypeError):
        passed = 0.0
    return min(most, max(0.0, most - passed))
