"""Signatures over locks: who vouches for one, and whether a lock has the signature that is asked for (ADR 0048)."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from selftune_build.advice import command
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.request import BuildRequest
from selftune_build.limits import ENVELOPE_SIGNATURES
from selftune_build.lock.parsing import LockReading
from selftune_build.lock.signatures import payload
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.lock import Lock
from selftune_build.model.package import LOCK_FILE, Package
from selftune_build.model.report import PackageReport, Problem
from selftune_build.model.verdict import Verdict
from selftune_build.signing import envelope

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner, Key

PAYLOAD_TYPE = "application/vnd.selftune-build.lock+json"


def signed_lock(lock: Lock, by: CryptoSigner) -> Lock:
    """The lock with one more signature, or with that of the same key made anew. Signatures of others stay."""
    made = envelope.signed(payload(lock), PAYLOAD_TYPE, by).signatures
    return replace(lock, signatures=lock.signatures | {key: base64.b64encode(each).decode() for key, each in made.items()})


def is_full(lock: Lock) -> bool:
    """Whether one signature more would not be read."""
    return len(lock.signatures) >= ENVELOPE_SIGNATURES


def required_keys(request: BuildRequest) -> tuple[Key, ...]:
    """The public keys one of which has to vouch for every lock. Raises InputError, UsageError and UndecidedError."""
    if not request.signers:
        return ()
    from selftune_build.signing.keys import public_key  # its libraries are an extra

    return tuple(map(public_key, request.signers))


def vouched_for(report: PackageReport, run: PackageRun, keys: Sequence[Key]) -> PackageReport:
    """The report of a lock, refused where none of the keys that are asked for vouches for it."""
    flaws = [*signature_flaws(run.lock, keys)] if keys else []
    if not flaws:
        return report
    path = LOCK_FILE if run.package.path == "." else f"{run.package.path}/{LOCK_FILE}"
    fix = sign_command(run.package)
    problems = [Problem("lock-tampered", run.package.handle, flaw, path, fix=fix) for flaw in flaws]
    return replace(report, problems=(*report.problems, *problems), verdict=Verdict.FAIL, next_command=report.next_command or fix)


def signature_dropped(package: Package) -> Finding:
    """A build changed what was signed."""
    message = "the lock was signed and has changed, so its signature is gone"
    return Finding("signature-dropped", Severity.WARNING, message, hint=f"sign it again: {sign_command(package)}")


def sign_command(package: Package) -> str:
    """What whoever vouches for the lock of a package types."""
    return command("lock sign", package.handle, "--key", "FILE")


def signature_flaws(reading: LockReading, keys: Sequence[Key]) -> Iterator[str]:
    """Why no key of these vouches for a lock that could be read; nothing where one does."""
    for lock in reading.locks:
        found = envelope.Envelope(payload(lock), PAYLOAD_TYPE, _decoded(lock))
        if not any(envelope.is_signed_by(found, key) for key in keys):
            yield _flaw(lock, keys)


def _decoded(lock: Lock) -> dict[str, bytes]:
    return {key: base64.b64decode(text) for key, text in lock.signatures.items()}


def _flaw(lock: Lock, keys: Iterable[Key]) -> str:
    broken = [key.keyid for key in keys if key.keyid in lock.signatures]
    if broken:
        return f"the signature of the key {broken[0][:12]} does not hold: the lock is not what was signed"
    if lock.signatures:
        return f"the lock is signed by {_names(lock.signatures)}, and by none of the keys that are asked for"
    return "the lock is not signed, and a signature is asked for"


def _names(keys: Iterable[str]) -> str:
    return ", ".join(key[:12] for key in sorted(keys))
