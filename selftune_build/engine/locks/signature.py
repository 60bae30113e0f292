"""Signatures over locks: who vouches for one, and whether a lock has the signature that is asked for (ADRs 0048, 0057, 0058)."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from selftune_build.advice import command
from selftune_build.engine.request import BuildRequest
from selftune_build.limits import ENVELOPE_SIGNATURES
from selftune_build.lock.parsing import LockReading
from selftune_build.lock.signatures import payload
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.lock import Lock
from selftune_build.model.package import LOCK_FILE, Package
from selftune_build.model.report import PackageReport, Problem
from selftune_build.model.verdict import Verdict

if TYPE_CHECKING:
    from selftune_build.signing.signatory import Signatory, Signed
    from selftune_build.signing.signer import Signer

PAYLOAD_TYPE = "application/vnd.selftune-build.lock+json"


def signed_lock(lock: Lock, by: Signer) -> Lock:
    """The lock with one more signature; as it is where that holds already. Signatures of others stay."""
    what, before = _what(lock), lock.signatures.get(by.signatory.name)
    if before is not None and by.signatory.flaw(what, base64.b64decode(before)) is None:
        return lock
    return replace(lock, signatures=lock.signatures | {by.signatory.name: base64.b64encode(by.sign(what)).decode()})


def is_full(lock: Lock) -> bool:
    """Whether one signature more would not be read."""
    return len(lock.signatures) >= ENVELOPE_SIGNATURES


class Demand:
    """Whose signatures are asked for: of those that a command line names one, and one of those that the policy names."""

    def __init__(self, request: BuildRequest) -> None:
        self._request = request
        self._signatories = cache(self._read)
        self._signatories(request.signers)

    def on(self, report: PackageReport, package: Package, reading: LockReading, *, policy: bool) -> PackageReport:
        """The report on a lock, refused where a signature is missing that is asked for.

        `policy`: whether the policy that the package is judged by has a say. Raises InputError, UsageError and UndecidedError.
        """
        for words in dict.fromkeys((self._request.signers, package.manifest.policy.signatures if policy else ())):
            if words:
                report = _vouched_for(report, package, reading, self._signatories(words))
        return report

    def _read(self, words: tuple[str, ...]) -> tuple[Signatory, ...]:
        if not words:
            return ()
        from selftune_build.signing.signatory import signatories  # its libraries are extras

        return signatories(words, self._request.trust_root)


def _vouched_for(
    report: PackageReport, package: Package, reading: LockReading, signatories: Sequence[Signatory]
) -> PackageReport:
    flaws = [*signature_flaws(reading, signatories)]
    if not flaws:
        return report
    path = LOCK_FILE if package.path == "." else f"{package.path}/{LOCK_FILE}"
    fix = command("lock sign", package.handle, *signatories[0].command)
    problems = [Problem("lock-tampered", package.handle, flaw, path, fix=fix) for flaw in flaws]
    return replace(report, problems=(*report.problems, *problems), verdict=Verdict.FAIL, next_command=report.next_command or fix)


def signature_dropped(package: Package) -> Finding:
    """A build changed what was signed."""
    message = "the lock was signed and has changed, so its signature is gone"
    return Finding("signature-dropped", Severity.WARNING, message, hint=f"sign it again: {sign_command(package)}, or --identity")


def sign_command(package: Package) -> str:
    """What whoever vouches for the lock of a package types."""
    return command("lock sign", package.handle, "--key", "FILE")


def signature_flaws(reading: LockReading, signatories: Sequence[Signatory]) -> Iterator[str]:
    """Why none of these vouches for a lock that could be read; nothing where one does."""
    for lock in reading.locks:
        flaws = [_flaw(lock, each) for each in signatories]
        if None not in flaws:
            yield next(filter(None, flaws), None) or _nobody(lock)


def _flaw(lock: Lock, who: Signatory) -> str | None:
    """Why somebody does not vouch for a lock; empty where there is no signature of theirs, None where they do."""
    from selftune_build.signing.signatory import short

    text = lock.signatures.get(who.name)
    if text is None:
        return ""
    flaw = who.flaw(_what(lock), base64.b64decode(text))
    return None if flaw is None else f"the signature of {short(who.name)} does not hold: {flaw}"


def _nobody(lock: Lock) -> str:
    from selftune_build.signing.signatory import short

    if lock.signatures:
        names = ", ".join(short(name) for name in sorted(lock.signatures))
        return f"the lock is signed by {names}, and by nobody who is asked for"
    return "the lock is not signed, and a signature is asked for"


def _what(lock: Lock) -> Signed:
    from selftune_build.publish.statement import about_lock
    from selftune_build.signing.signatory import Signed

    content = payload(lock)
    return Signed(content, PAYLOAD_TYPE, about_lock(lock.package, content))
