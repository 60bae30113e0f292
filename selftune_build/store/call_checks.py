"""What can be wrong with a sample, a failed attempt, a call in flight or the envelope that came with a sample."""

from __future__ import annotations

import base64
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from selftune_build.fingerprint.digest import digest_bytes, is_digest
from selftune_build.fingerprint.keys import call_id
from selftune_build.limits import ENVELOPE_BYTES, STORE_ARCHIVE_MAX_BYTES
from selftune_build.store.ailment import Ailment, Cure, Severity
from selftune_build.store.archive import Archive, Attempt, DamagedRecord, Intent, NewerRecord
from selftune_build.store.guard import try_hold
from selftune_build.store.key_guard import Busy, key_guard
from selftune_build.store.reading import read_bounded, read_packed
from selftune_build.store.samples import place_of
from selftune_build.store.survey import Entry
from selftune_build.store.wip import ARCHIVE_SUFFIX, WIP_SUFFIX, answer_after, read_intent

ENVELOPE_SUFFIX = ".dsse"

_Record = TypeVar("_Record", Archive, Attempt)


def check_archive(store: Path, entry: Entry, staged: Counter[str]) -> Iterator[Ailment]:
    """A finished sample; `staged` counts the trees that are named. Raises OSError."""
    archive = _read(store, entry, Archive)
    if isinstance(archive, Ailment):
        yield archive
    elif not follows(archive):
        message = "has a call_id that does not follow from its key, its tree and its index"
        yield Ailment("archive-forged", Severity.ERROR, entry.path, message, Cure.ASIDE)
    elif entry.path != (place := place_of(archive)):
        cure = Cure.ASIDE if (store / place).exists() else Cure.MOVE
        yield Ailment("archive-misplaced", Severity.ERROR, entry.path, f"belongs to {place}", cure, place)
    else:
        staged[archive.staged] += 1


def check_attempt(store: Path, entry: Entry, _staged: Counter[str]) -> Iterator[Ailment]:
    """A failed attempt. Raises OSError."""
    attempt = _read(store, entry, Attempt)
    if isinstance(attempt, Ailment):
        yield attempt
    elif entry.path != place_of(attempt):
        yield Ailment("attempt-misplaced", Severity.ERROR, entry.path, "belongs to another call", Cure.ASIDE)


def _read(store: Path, entry: Entry, kind: type[_Record]) -> _Record | Ailment:
    try:
        return read_packed(store / entry.path, kind)
    except DamagedRecord as error:
        return Ailment(f"{entry.kind}-damaged", Severity.ERROR, entry.path, str(error), Cure.ASIDE)
    except NewerRecord as error:
        return Ailment(f"{entry.kind}-newer", Severity.WARNING, entry.path, str(error))


def check_call(store: Path, entry: Entry, _staged: Counter[str]) -> Iterator[Ailment]:
    """A call in flight, or one that its process left behind. Raises OSError.

    The guard of the key comes first: whoever begins a call has it, and must find the guard of the call's file free.
    """
    try:
        with key_guard(store / entry.path):
            yield _call(store, entry)
    except Busy:
        yield _in_flight(entry)


def _in_flight(entry: Entry) -> Ailment:
    return Ailment("call-in-flight", Severity.NOTE, entry.path, "is being answered now")


def _call(store: Path, entry: Entry) -> Ailment:
    descriptor = os.open(store / entry.path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not try_hold(descriptor):
            return _in_flight(entry)
        intent = read_intent(descriptor)
        return _left_behind(store, entry, intent, b"" if intent is None else answer_after(descriptor, intent))
    except ValueError as error:
        return Ailment("call-damaged", Severity.ERROR, entry.path, str(error), Cure.ASIDE)
    finally:
        os.close(descriptor)


def _left_behind(store: Path, entry: Entry, intent: Intent | None, answer: bytes) -> Ailment:
    if intent is None:
        return Ailment("call-torn", Severity.WARNING, entry.path, "was never sent: what was to be asked is torn", Cure.REMOVE)
    place = f"{intent.static_key.removeprefix('sha256:')}/{intent.call_id.removeprefix('sha256:')}{WIP_SUFFIX}"
    if not entry.path.endswith(f"/{place}") or not follows(intent):
        return Ailment("call-misplaced", Severity.ERROR, entry.path, "belongs to another call", Cure.ASIDE)
    archive = _archived(store / (entry.path.removesuffix(WIP_SUFFIX) + ARCHIVE_SUFFIX))
    if archive is not None and archive.raw == answer:
        return Ailment("call-settled", Severity.WARNING, entry.path, "is archived already", Cure.REMOVE)
    what = "with an answer" if answer else "without an answer"
    message = f"was left behind {what}: the next build of its case keeps the answer or counts the call as spent"
    return Ailment("call-left", Severity.WARNING, entry.path, message)


def _archived(path: Path) -> Archive | None:
    try:
        return read_packed(path, Archive)
    except (OSError, DamagedRecord, NewerRecord):
        return None


def follows(call: Archive | Intent) -> bool:
    """Whether the identity of a call is what key, tree and index make it."""
    formed = is_digest(call.static_key) and is_digest(call.staged)
    return formed and call.call_id == call_id(call.static_key, call.staged, call.index)


def check_envelope(store: Path, entry: Entry, _staged: Counter[str]) -> Iterator[Ailment]:
    """What was signed about a sample that came from elsewhere."""
    path = store / (entry.path.removesuffix(ENVELOPE_SUFFIX) + ARCHIVE_SUFFIX)
    archive = read_bounded(path, STORE_ARCHIVE_MAX_BYTES)
    if archive is None:
        yield Ailment("envelope-alone", Severity.WARNING, entry.path, "came with no sample", Cure.REMOVE)
    elif _stated(read_bounded(store / entry.path, ENVELOPE_BYTES)) != digest_bytes(archive):
        message = "was signed about something else than the sample beside it"
        yield Ailment("envelope-forged", Severity.ERROR, entry.path, message, Cure.ASIDE)


def _stated(content: bytes | None) -> str | None:
    """The digest of the archive that an envelope speaks of; who signed it is not looked at."""
    try:
        statement = json.loads(base64.b64decode(json.loads(content or b"")["payload"], validate=True))
        return str(statement["archive"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
