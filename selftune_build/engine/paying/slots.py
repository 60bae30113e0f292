"""The calls that an invocation makes at once (`--jobs`), apart from the threads that prepare them and keep their answers."""

from __future__ import annotations

import threading

from selftune_build.limits import SLOT_TURN_S, SPARE_THREADS


class Slot:
    """Leave to make one call now, until `release`."""

    def __init__(self, free: threading.Semaphore | None = None) -> None:
        self._free = free

    def release(self) -> None:
        """Let the next one in; calling it again does nothing."""
        free, self._free = self._free, None
        if free is not None:
            free.release()


class Slots:
    """So many calls at once, among threads that are a few more: while one makes an answer durable, another asks already."""

    def __init__(self, jobs: int) -> None:
        self._free = threading.Semaphore(jobs)

    def take(self, stop: threading.Event) -> Slot | None:
        """Wait for a slot; None when told to stop meanwhile."""
        while not self._free.acquire(timeout=SLOT_TURN_S):
            if stop.is_set():
                return None
        return Slot(self._free)


def threads_for(jobs: int) -> int:
    """How many threads keep so many calls going. Few jobs get no more: with one, calls come in the order of the plan."""
    return jobs + jobs // SPARE_THREADS
