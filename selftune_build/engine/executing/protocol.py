"""The narrow protocol between the engine and whatever runs calls in other processes: bytes go there, bytes come back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Protocol

from msgspec import Struct


class Executor(Protocol):
    """Workers that were reached. Each is a process with selftune-build that calls `work(content)` with what it is sent.

    It carries, and decides nothing: budget, pools, claims and locks stay with the build, and a task that is run twice asks once.
    """

    def slots(self) -> int:
        """How many tasks its workers run at once now; 0 where there is no worker."""

    def submit(self, content: bytes) -> Future[bytes]:
        """Have one worker call `work(content)`: what that returns, or an error of any kind where nobody can tell what came of it,
        such as a worker that is gone. Comes back at once. It must not try again by itself."""

    def everywhere(self, content: bytes) -> Mapping[str, bytes | BaseException]:
        """Have every worker there is call `work(content)` now, beside the tasks that it runs: by its address what came of it."""

    def close(self) -> None:
        """Let go of the workers, which stay as they are."""


class ExecutorType(Struct, frozen=True):
    """A kind of executor: its id is the scheme of the URLs that name one."""

    id: str
    open: Callable[[str], Executor]
    """Reaches the workers behind a URL. Raises UndecidedError where nobody answers, InputError for a URL that names nothing."""
    summary: str = ""
