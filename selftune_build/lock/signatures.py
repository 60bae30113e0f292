"""What of a lock is signed, and when a signature belongs to another lock as well (ADR 0048). Nobody is believed here."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from selftune_build.lock.rendering import render
from selftune_build.model.lock import Lock


def payload(lock: Lock) -> bytes:
    """What is signed: the lock as it would stand without signatures."""
    return render(replace(lock, signatures={}))


def with_signatures(lock: Lock, before: Iterable[Lock]) -> Lock:
    """The lock with what was signed of it: the signatures of those locks of before that say the same, and no others."""
    signed = [side for side in before if side.signatures]
    content = payload(lock) if signed else b""
    same = (side.signatures for side in signed if payload(side) == content)
    return replace(lock, signatures={key: value for signatures in same for key, value in signatures.items()})
