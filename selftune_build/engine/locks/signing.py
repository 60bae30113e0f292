"""`selftune lock sign`: whoever holds a key or has an identity vouches for locks that belong to their packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from selftune_build.engine.load import Universe
from selftune_build.engine.locked.verification import check
from selftune_build.engine.locks.files import lock_path, read_package_lock, write_lock
from selftune_build.engine.locks.signature import is_full, signed_lock
from selftune_build.engine.locks.soundness import unsound, unsound_status
from selftune_build.engine.registry import Registry
from selftune_build.engine.request import BuildRequest
from selftune_build.engine.wanted import wanted_packages
from selftune_build.errors import InputError
from selftune_build.limits import ENVELOPE_SIGNATURES
from selftune_build.model.location import Location
from selftune_build.model.lock import Lock
from selftune_build.model.package import Package
from selftune_build.model.report import Problem

if TYPE_CHECKING:
    from selftune_build.signing.signer import Signer


class Signing(Struct, frozen=True):
    """What came of it: nothing was signed where there are problems."""

    key: str
    """Who signed: the id of a key, or an identity; empty where nobody was asked to."""
    signed: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    """Packages whose lock has this signature already."""
    problems: tuple[Problem, ...] = ()
    exit_code: int = 0


def sign_locks(universe: Universe, request: BuildRequest, registry: Registry, by: Signer) -> Signing:
    """Sign the locks of the packages that are asked for; all of them or, where one does not hold, none. Raises SelftuneError."""
    problems = unsound(check(universe, request, registry))
    if problems:
        return Signing("", problems=tuple(problems), exit_code=unsound_status(problems))
    packages = [wanted.package for wanted in wanted_packages(universe, request)]
    locks = [(package, _signed(package, by)) for package in packages]
    written = {package.handle: write_lock(package, lock) for package, lock in locks}
    names = {new: tuple(name for name, wrote in written.items() if wrote is new) for new in (True, False)}
    return Signing(by.signatory.name, signed=names[True], known=names[False])


def _signed(package: Package, by: Signer) -> Lock:
    (lock,) = read_package_lock(package).locks
    if is_full(lock) and by.signatory.name not in lock.signatures:
        at, hint = Location(str(lock_path(package))), "a build that changes it drops them all"
        raise InputError(f"the lock has {ENVELOPE_SIGNATURES} signatures already", at=at, hint=hint)
    return signed_lock(lock, by)
