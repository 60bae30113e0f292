"""The build's side of an executor: whom it reaches, whether they see what it sees, and what they are told to end."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future
from pathlib import Path
from types import TracebackType
from typing import Protocol

from selftune_build.engine.executing.protocol import Executor
from selftune_build.engine.executing.task import Cancel, Done, Probe, Site, Task, done_in, encoded
from selftune_build.errors import UndecidedError
from selftune_build.fingerprint.digest import digest_bytes, digest_json
from selftune_build.limits import EXECUTOR_CANCEL_S, EXECUTOR_EMPTY_S, EXECUTOR_POLL_S, EXECUTOR_SLOTS
from selftune_build.model.package import SKILL_FILE, Package
from selftune_build.store.atomic import store_errors
from selftune_build.store.records import RecordStore

REFUSED = "executor-refused"
"""Code of the error for workers that do not see what the build sees."""


class Lost(Exception):
    """Nobody can tell what became of a task; `args` are why."""


class NoWorker(Exception):
    """There is nobody who could run a task, and has not been for long; `args` are why."""


class Withdrawn(Exception):
    """A task was taken back before anybody began it."""


class Watch(Protocol):
    """What can be seen of a task from here."""

    @property
    def begun(self) -> bool:
        """Whether anybody has been asked."""

    @property
    def overdue(self) -> bool:
        """Whether that was longer ago than it may take."""


class Cluster:
    """The workers of one invocation: reached when the first sample is missing, let go of where a `with` ends."""

    def __init__(self, url: str, connect: Callable[[str], Executor], store: Path, root: Path, jobs: int | None) -> None:
        self.url = url
        self.store = store
        self._connect = connect
        self._root = root
        self._jobs = jobs
        self._executor: Executor | None = None
        self._site: Site | None = None
        self._cancelled = threading.Event()
        self._guard = threading.Lock()
        self._seen_at = 0.0
        self._looked_at = 0.0

    def open(self, packages: Iterable[Package]) -> int:
        """Reach the workers, look whether all of them see what is seen here, and tell how many samples to take at once.

        Raises UndecidedError where there is none, or one of them does not, and StoreError.
        """
        if self._executor is None:
            self._executor = self._connect(self.url)
            self._site = self._site_of(next(iter(packages)))
            self._refuse_blind()
        slots = self.executor.slots()
        if not slots:
            raise UndecidedError(f"{self.url} has no worker", hint="start one, such as `dask worker HOST:PORT`")
        self._seen_at = time.monotonic()
        return min(self._jobs or slots, EXECUTOR_SLOTS)

    @property
    def executor(self) -> Executor:
        """The executor, once it is open."""
        assert self._executor is not None
        return self._executor

    @property
    def site(self) -> Site:
        """What workers have to see, once it is open."""
        assert self._site is not None
        return self._site

    def result(self, future: Future[bytes], watch: Watch, stop: threading.Event, cancel: threading.Event) -> Done:
        """What became of a task. Raises Lost where it failed or is overdue, NoWorker where nobody is there to run it, and
        Withdrawn where it was to begin after `stop` was set."""
        while True:
            try:
                return done_in(future.result(EXECUTOR_POLL_S))
            except TimeoutError as error:
                if future.done():
                    raise Lost(_said(error)) from error
            except (Exception, CancelledError) as error:
                raise Lost(_said(error)) from error
            if cancel.is_set():
                return self._ended(future)
            if not watch.begun and stop.is_set() and future.cancel():
                raise Withdrawn
            if watch.overdue:
                raise Lost("it did not come back within its time limit")
            if self._is_empty():
                future.cancel()
                raise NoWorker(f"{self.url} has had no worker for {EXECUTOR_EMPTY_S:.0f} s")

    def submit(self, task: Task) -> Future[bytes]:
        """Send a task. Raises Lost where that is not possible."""
        try:
            return self.executor.submit(encoded(task))
        except UndecidedError as error:
            raise Lost(error.message) from error

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Let go of the workers, and take away what they were probed with."""
        if self._site is not None:
            RecordStore(self.store).remove(self._site.token)
        if self._executor is not None:
            self._executor.close()

    def _site_of(self, package: Package) -> Site:
        """Leave a token in the store; what is to be seen."""
        record = {"executor": secrets.token_hex(16)}
        token = digest_json(record)
        RecordStore(self.store).write(token, record, durable=False)
        file = Path(package.root) / SKILL_FILE
        with store_errors("read", file):
            digest = digest_bytes(file.read_bytes())
        return Site(str(self.store), str(self._root), token, str(file), digest)

    def _refuse_blind(self) -> None:
        for worker, answer in sorted(self.executor.everywhere(encoded(Probe(self.site))).items()):
            if isinstance(answer, BaseException):
                hint = "install selftune-build of the same version, and the plugins of its agents, where the worker runs"
                raise UndecidedError(f"the worker {worker} cannot work: {_said(answer)}", hint=hint, code=REFUSED)
            done = done_in(answer)
            if done.outcome != "seen":
                raise UndecidedError(f"the worker {worker} is refused: {done.message}", hint=done.hint, code=REFUSED)

    def _ended(self, future: Future[bytes]) -> Done:
        """Tell the workers to end what they do for this invocation, and wait a little for how that ended."""
        with self._guard:
            if not self._cancelled.is_set():
                self._cancelled.set()
                try:
                    self.executor.everywhere(encoded(Cancel(self.site.token)))
                except UndecidedError:
                    pass  # they are out of reach: their calls end at their limit
        try:
            return done_in(future.result(EXECUTOR_CANCEL_S))
        except (Exception, CancelledError) as error:
            future.cancel()
            raise Lost(_said(error)) from error

    def _is_empty(self) -> bool:
        """Whether there has been no worker for long; looked at by one thread after the other, not by each."""
        with self._guard:
            now = time.monotonic()
            if now - self._looked_at > EXECUTOR_POLL_S:
                self._looked_at = now
                if self._slots():
                    self._seen_at = now
            return now - self._seen_at > EXECUTOR_EMPTY_S

    def _slots(self) -> int:
        try:
            return self.executor.slots()
        except UndecidedError:
            return 0


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
