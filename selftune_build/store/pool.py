"""Pools: how many calls one service gets at once and per minute, and when nobody may ask it, for all processes of a store.

```
pools/<pool>/state.json   what was learned by asking (store.pool_state)
pools/<pool>/guard        held while that file is changed
pools/<pool>/<n>.slot     held by the n-th of the calls that run at once
```

Slots are kernel locks: a process that is killed leaves none taken.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from selftune_build.errors import StoreError
from selftune_build.fingerprint.digest import digest_json
from selftune_build.limits import (
    POOL_GUARD_S,
    POOL_PATIENCE_S,
    POOL_POLL_S,
    POOL_STATE_BYTES,
    POOL_TOLD_S,
    POOL_TURN_S,
)
from selftune_build.model.manifest import PoolSetting
from selftune_build.store import pool_state
from selftune_build.store.atomic import store_errors, write_atomic
from selftune_build.store.guard import holder, try_hold, wait_for
from selftune_build.store.pool_state import PoolState
from selftune_build.store.reading import read_bounded
from selftune_build.wording import counted

STATE_NAME, GUARD_NAME, SLOT_SUFFIX = "state.json", "guard", ".slot"
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


def now_ms() -> int:
    """Milliseconds since 1970, by the clock that all processes share."""
    return time.time_ns() // 1_000_000


class PoolShut(Exception):
    """The service asked for a longer pause than anybody waits for. `seconds`: how much of it is left."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class _Wait(Struct, frozen=True):
    """Not yet: look again in so many seconds. `about` says why, once for each `reason`; empty where nobody has to know."""

    seconds: float
    reason: str = ""
    about: str = ""


class Turn:
    """Leave to make one call, from `Pool.enter` until `close`. Without a pool, leave that nobody gave and nobody waits for."""

    def __init__(self, pool: Pool | None = None, slot: int | None = None, at_once: int = 1) -> None:
        self._pool = pool
        self._slot = slot
        self._began_ms = now_ms()
        self._at_once = at_once

    def answered(self) -> None:
        """The service answered: after a refusal the pool dares a little more."""
        if self._pool is not None:
            self._pool.answers += 1
            self._pool.change(pool_state.answered)

    def refused(self, retry_after_s: float | None) -> None:
        """The service said to come later: nobody of this pool asks before."""
        jitter = random.random()
        if self._pool is not None:
            self._pool.change(
                lambda state: pool_state.refused(state, now_ms(), self._began_ms, self._at_once, jitter, retry_after_s), anew=True
            )

    def close(self) -> None:
        """Let the next one in; calling it again does nothing."""
        if self._slot is not None:
            os.close(self._slot)
        self._slot = None
        if self._pool is not None:
            self._pool.left(self)


NOBODYS = Turn()
"""The turn of what asks no service."""


class Pool:
    """One service as the threads of one process see it, shared with other processes through the store."""

    def __init__(self, folder: Path, label: str, setting: PoolSetting) -> None:
        self._folder = folder
        self._label = label
        self._setting = setting
        self._turn = threading.Lock()
        """Held by the thread that is next: of each process one looks for a slot, however many wait."""
        self._guard = threading.Lock()
        self._inside: set[Turn] = set()
        self.answers = 0
        """How often the service answered in this process."""
        self._told: set[str] = set()
        self._unwritten: PoolState | None = None
        """What could not be written: then it holds for this process alone."""

    def tighten(self, setting: PoolSetting) -> None:
        """Keep to these limits as well."""
        old = self._setting
        self._setting = PoolSetting(
            concurrent=_smaller(old.concurrent, setting.concurrent), per_minute=_smaller(old.per_minute, setting.per_minute)
        )

    def enter(self, waiting: Callable[[str], None], stop: threading.Event) -> Turn | None:
        """Wait for leave to make one call; None when told to stop meanwhile. Raises PoolShut and StoreError."""
        while not self._turn.acquire(timeout=POOL_TURN_S):
            if stop.is_set():
                return None
        try:
            while isinstance(found := self._look(), _Wait):
                self._tell(found, waiting)
                if stop.wait(found.seconds):
                    return None
            return found
        finally:
            self._turn.release()

    def left(self, turn: Turn) -> None:
        """A call is over."""
        with self._guard:
            self._inside.discard(turn)

    def change(self, how: Callable[[PoolState], PoolState], *, anew: bool = False) -> None:
        """Note what was learned; without `anew` only where something is known already. Never raises: it only costs manners."""
        if not anew and self._read() == pool_state.NOTHING:
            return
        try:
            with self._state_guard() as held:
                before = self._read()
                after = how(before)
                if after != before:
                    self._unwritten = after
                    if held:
                        self._write(after)
        except StoreError:
            self._unwritten = how(self._read()) if self._unwritten is None else self._unwritten

    def _look(self) -> Turn | _Wait:
        """Leave for one call, or how long there is none."""
        state = self._read()
        left_s = state.wait_ms(now_ms()) / 1000
        if left_s > POOL_PATIENCE_S:
            raise PoolShut(left_s)
        if left_s:
            told = f"{self._label} asked for a pause: waiting {lasting(left_s)}" if left_s >= POOL_TOLD_S else ""
            return _Wait(min(left_s, 1.0) + random.uniform(0, POOL_POLL_S), f"pause {state.noted_ms}", told)
        width = _smaller(self._setting.concurrent, state.width)
        slot = None if width is None else self._free_slot(width)
        if isinstance(slot, _Wait):
            return slot
        try:
            wait = self._next_of_the_minute() if self._setting.per_minute else None
            if wait is None:
                kept, slot = slot, None
                return self._begin(kept)
            return wait
        finally:
            if slot is not None:
                os.close(slot)

    def _begin(self, slot: int | None) -> Turn:
        with self._guard:
            turn = Turn(self, slot, len(self._inside) + 1)
            self._inside.add(turn)
        return turn

    def _free_slot(self, width: int) -> int | _Wait:
        """A slot that nobody holds, its guard held, or who holds them."""
        with store_errors("create", self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        who = ""
        for number in range(1, width + 1):
            path = self._folder / f"{number}{SLOT_SUFFIX}"
            with store_errors("open", path):
                descriptor = _opened(path)
            if try_hold(descriptor):
                return descriptor
            others = _other(descriptor)
            if others and try_hold(descriptor):  # let go of meanwhile, so nobody was found to name
                return descriptor
            who = others or who
            os.close(descriptor)
        told = f"all calls to {self._label} that may run at once ({width}) are in use, one by {who}; waiting" if who else ""
        return _Wait(POOL_POLL_S * random.uniform(0.5, 1.5), "slots", told)

    def _next_of_the_minute(self) -> _Wait | None:
        """Take the next call of those per minute; else how long it is until then."""
        per_minute = self._setting.per_minute
        assert per_minute is not None
        with self._state_guard() as held:
            now, state = now_ms(), self._read()
            wait_s = state.turn_ms(now) / 1000
            if held and not wait_s:
                self._write(pool_state.started(state, now, per_minute))
                return None
        limit = f"{self._label} gets {counted(per_minute, 'call')} per minute: waiting for the next"
        slack_s = random.uniform(0, min(wait_s, POOL_POLL_S))
        return _Wait(min(wait_s, 1.0) + slack_s, "minute", limit if wait_s >= POOL_TOLD_S else "")

    def _tell(self, wait: _Wait, waiting: Callable[[str], None]) -> None:
        """Once for each reason: threads that wait for the same need no line each."""
        if wait.about and wait.reason not in self._told:
            self._told.add(wait.reason)
            waiting(f"{wait.about} (Ctrl-C ends it, and what was answered is kept)")

    def _read(self) -> PoolState:
        if self._unwritten is not None:
            return pool_state.of_today(self._unwritten, now_ms())
        return pool_state.decoded(read_bounded(self._folder / STATE_NAME, POOL_STATE_BYTES), now_ms())

    def _write(self, state: PoolState) -> None:
        write_atomic(self._folder / STATE_NAME, pool_state.encoded(state), durable=False)
        self._unwritten = None

    @contextmanager
    def _state_guard(self) -> Iterator[bool]:
        """Be the one who changes the state; False where somebody keeps the guard for longer than a change takes."""
        path = self._folder / GUARD_NAME
        with store_errors("open", path):
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor = _opened(path)
        try:
            yield wait_for(descriptor, time.monotonic() + POOL_GUARD_S)
        finally:
            os.close(descriptor)


class Pools:
    """The pools below one store folder, each made once in this process."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._pools: dict[str, Pool] = {}

    def of(self, service: str, model: str | None, setting: PoolSetting) -> Pool:
        """The pool of a service and a model; everybody in this process keeps to the tightest of the limits given."""
        name = folder_name(service, model)
        label = f"{service}, model {model}" if model else service
        pool = self._pools.setdefault(name, Pool(self._root / "pools" / name, label, setting))
        pool.tighten(setting)
        return pool


def folder_name(service: str, model: str | None) -> str:
    """What the folder of a pool is called: something to read, then a digest of the names."""
    readable = _NOT_IN_A_NAME.sub("-", f"{service}-{model or ''}".lower()).strip("-")[:40].strip("-") or "pool"
    return f"{readable}-{digest_json([service, model]).rpartition(':')[2][:12]}"


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)


def _other(descriptor: int) -> str:
    """Who holds a slot, empty where it is this process."""
    with suppress(OSError):
        who, where = holder(descriptor)
        return "" if who == "this process" else f"{who}{where}"
    return ""


def _smaller(one: int | None, other: int | None) -> int | None:
    return min((each for each in (one, other) if each is not None), default=None)


def lasting(seconds: float) -> str:
    """A time that somebody waits, in words."""
    units = (("s", 1), ("min", 60), ("h", 3_600))
    unit, size = next((unit, size) for unit, size in units if seconds < 90 * size or unit == "h")
    return f"{seconds / size:.0f} {unit}"
