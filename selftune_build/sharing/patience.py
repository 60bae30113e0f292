"""Asks a remote again where that may help: as long as it says to wait, else longer each time; and not for ever."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from selftune_build.limits import REMOTE_ATTEMPTS, REMOTE_BACKOFF_S, REMOTE_PATIENCE_S, REMOTE_WAIT_MAX_S
from selftune_build.sharing.remote import Remote, RemoteError

_Result = TypeVar("_Result")


class Patient:
    """A remote that bears what passes. What was written by an attempt whose answer was lost counts as written."""

    def __init__(
        self, remote: Remote, sleep: Callable[[float], object] = time.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._remote = remote
        self._sleep = sleep
        self._clock = clock

    def reach(self) -> None:
        """As `Remote.reach`; asked once."""
        self._remote.reach()

    def folders(self, prefix: str) -> list[str]:
        """As `Remote.folders`."""
        return self._again(lambda: self._remote.folders(prefix))

    def list(self, prefix: str) -> dict[str, int]:
        """As `Remote.list`."""
        return self._again(lambda: self._remote.list(prefix))

    def get(self, name: str, limit: int) -> bytes | None:
        """As `Remote.get`."""
        return self._again(lambda: self._remote.get(name, limit))

    def create(self, name: str, content: bytes) -> bool:
        """As `Remote.create`."""
        return self._again(lambda: self._remote.create(name, content))

    def _again(self, ask: Callable[[], _Result]) -> _Result:
        began = self._clock()
        for attempt in range(REMOTE_ATTEMPTS - 1):
            try:
                return ask()
            except RemoteError as error:
                if not error.transient or self._clock() - began > REMOTE_PATIENCE_S:
                    raise
                self._sleep(_pause(error, attempt))
        return ask()


def _pause(error: RemoteError, attempt: int) -> float:
    """Raises RemoteError where the remote asks to wait for longer than anybody would."""
    if error.retry_after_s is None:
        # Jitter, so that clients that were turned away together do not come back together; no secret depends on it.
        return min(REMOTE_BACKOFF_S * float(2**attempt) * random.uniform(0.5, 1.5), REMOTE_WAIT_MAX_S)
    if error.retry_after_s > REMOTE_WAIT_MAX_S:
        raise RemoteError(f"{error.message}; it asks to come back in {error.retry_after_s:.0f} s") from error
    return error.retry_after_s
