"""A call in flight: intent, guard and raw answer in one file.

The file is one line of JSON, the intent, then the raw answer as the agent writes it. Whoever has the file open for writing
(we, or a child that got it as stdout) holds its guard, so a guard that is free means that no more will come.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import msgspec

from selftune_build.errors import StoreError
from selftune_build.limits import STORE_ATTEMPT_RAW_BYTES, STORE_RAW_MAX_BYTES
from selftune_build.model.location import Location
from selftune_build.model.sample import ErrorKind
from selftune_build.store import guard
from selftune_build.store.archive import Archive, Attempt, Intent, encode
from selftune_build.store.atomic import store_errors, sync_folder, write_all, write_atomic

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from selftune_build.model.sample import FileChange

WIP_SUFFIX = ".wip"
ARCHIVE_SUFFIX = ".zst"
ATTEMPT_SUFFIX = ".err.zst"

_INTENT_START = b'{"format":"selftune.call/'


class Call:
    """One call between intent and archive. Leaving it without commit, fail or withdraw keeps the file for the next run."""

    def __init__(self, path: Path, descriptor: int, intent: Intent, durable: bool, next_number: Callable[[], int]) -> None:
        self.path = path
        self.intent = intent
        self.answer: io.FileIO = _AnswerFile(path, descriptor)
        """The unbuffered file that the raw answer goes to; a child may inherit it as stdout."""
        self._durable = durable
        self._next_number = next_number

    def __enter__(self) -> Call:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def raw(self) -> bytes:
        """The answer so far. Raises StoreError."""
        with store_errors("read", self.path):
            return answer_after(self.answer.fileno(), self.intent)

    def complete(self) -> None:
        """Make what came back survive a power cut, before anybody parses it. Raises StoreError."""
        if self._durable:
            with store_errors("write", self.path):
                os.fsync(self.answer.fileno())

    def commit(
        self,
        *,
        touched: frozenset[str] | None = None,
        files: tuple[FileChange, ...] = (),
        exit_status: int | None = None,
        stderr: bytes = b"",
        cost: dict[str, Any] | None = None,
        seconds_ms: int = 0,
        recorded: str | None = None,
        limit: bool = False,
    ) -> Archive:
        """Archive the answer as a finished sample, before anybody parses it. Raises StoreError, the answer still in its file."""
        archive = Archive(
            call_id=self.intent.call_id,
            static_key=self.intent.static_key,
            index=self.intent.index,
            request=self.intent.request,
            staged=self.intent.staged,
            touched=None if touched is None else sorted(touched),
            raw=self.raw(),
            files=list(files),
            exit_status=exit_status,
            stderr=stderr,
            cost=cost,
            seconds_ms=seconds_ms,
            recorded=recorded or datetime.now(UTC).isoformat(timespec="seconds"),
            workspace=self.intent.workspace,
            home=self.intent.home,
            limit=limit,
        )
        self._archive(archive, ARCHIVE_SUFFIX)
        return archive

    def fail(self, kind: str, message: str, usage: dict[str, Any] | None = None) -> Attempt:
        """Archive the call as a failed attempt, with what came back; of a flood only its start.

        Raises StoreError, the answer still in its file.
        """
        attempt = Attempt(
            call_id=self.intent.call_id,
            static_key=self.intent.static_key,
            index=self.intent.index,
            number=self._next_number(),
            kind=kind,
            message=message,
            raw=self.raw()[:STORE_ATTEMPT_RAW_BYTES] if kind == ErrorKind.FLOOD else self.raw(),
            usage=usage,
            started=self.intent.started,
        )
        self._archive(attempt, f".{attempt.number}{ATTEMPT_SUFFIX}")
        return attempt

    def withdraw(self) -> None:
        """Nothing was sent: forget the call. Raises StoreError."""
        with store_errors("remove", self.path):
            self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go of the file; calling it again does nothing."""
        self.answer.close()

    def _archive(self, record: Archive | Attempt, suffix: str) -> None:
        target = _beside(self.path, suffix)
        _refuse_finished(self.path)
        try:
            write_atomic(target, encode(record), self._durable)
        except StoreError as error:
            kept = f"{error.hint or 'mend that and run again'}; the answer is kept in {self.path}"
            raise StoreError(error.message, at=error.at, hint=kept) from error
        self.withdraw()


def begin_call(path: Path, intent: Intent, durable: bool, next_number: Callable[[], int]) -> Call:
    """Write the intent into a new file, its guard held. Raises StoreError before anything was sent."""
    _refuse_finished(path)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o666)
    except FileExistsError as error:
        hint = "run again: what is left of an earlier call is looked at first"
        raise StoreError(f"{path} is still in flight", at=Location(str(path)), hint=hint) from error
    except OSError:
        with store_errors("create", path):
            raise
    try:
        with store_errors("write", path):
            guard.try_hold(descriptor)
            write_all(descriptor, intent_line(intent))
            if durable:
                os.fsync(descriptor)
                sync_folder(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)
        os.close(descriptor)
        raise
    return Call(path, descriptor, intent, durable, next_number)


def _beside(path: Path, suffix: str) -> Path:
    """Where the record of a call goes whose file in flight this is."""
    return path.with_name(path.name.removesuffix(WIP_SUFFIX) + suffix)


def _refuse_finished(path: Path) -> None:
    """Raise StoreError where the call has its answer already: an archive is immutable."""
    finished = _beside(path, ARCHIVE_SUFFIX)
    if finished.exists():
        hint = "it stays as it is; run again, and report this if it comes again"
        raise StoreError(f"{finished} holds an answer to this call already", at=Location(str(finished)), hint=hint)


def intent_line(intent: Intent) -> bytes:
    """The first line of the file."""
    return msgspec.json.encode(intent) + b"\n"


def answer_after(descriptor: int, intent: Intent) -> bytes:
    """The answer so far in an open file of a call. Raises OSError."""
    content, line = _read_all(descriptor), intent_line(intent)
    # A child that opens /dev/stdout anew cuts the intent off: then everything there is its answer.
    return content[len(line) :] if content.startswith(line) else content


def read_intent(descriptor: int) -> Intent | None:
    """The intent in an open file, None where its line is torn: then nothing was sent. Raises ValueError for anything else."""
    line, end, _ = _read_all(descriptor).partition(b"\n")
    if not end and (line.startswith(_INTENT_START) or _INTENT_START.startswith(line)) and not _goes_on(line):
        return None
    try:
        return msgspec.json.decode(line, type=Intent)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("does not start with an intent") from error


def _goes_on(line: bytes) -> bool:
    """Whether something stands behind a whole intent in a line without end: it did not break off, and that may be an answer."""
    text = line.decode(errors="replace")
    try:
        return json.JSONDecoder().raw_decode(text)[1] < len(text)
    except (ValueError, RecursionError):
        return False


def _read_all(descriptor: int) -> bytes:
    """Never more than an archive can hold: nobody caps the output of a child that has outlived us."""
    size = min(os.fstat(descriptor).st_size, STORE_RAW_MAX_BYTES)
    parts = []
    at = 0
    while at < size and (part := os.pread(descriptor, size - at, at)):
        parts.append(part)
        at += len(part)
    return b"".join(parts)


class _AnswerFile(io.FileIO):
    """Unbuffered, and a write is whole or a StoreError: an answer must not be lost to a write that stopped early."""

    def __init__(self, path: Path, descriptor: int) -> None:
        super().__init__(descriptor, "a+b")
        self._path = path

    def write(self, content: ReadableBuffer, /) -> int:
        """Append all of it."""
        block = bytes(content)
        with store_errors("write", self._path):
            write_all(self.fileno(), block)
        return len(block)
