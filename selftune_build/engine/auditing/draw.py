"""Which rows of the locks are run again: ranked by a keyed hash, so that who does not know the nonce cannot prepare for it."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import ceil

from msgspec import Struct

from selftune_build.engine.auditing.row import counts
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.planning.plan import RowPlan, kept_row
from selftune_build.errors import UndecidedError, UsageError
from selftune_build.fingerprint.digest import canonical_json
from selftune_build.limits import AUDIT_FIRST_SAMPLES, AUDIT_NONCE_BYTES, AUDIT_NONCE_BYTES_MAX
from selftune_build.model.lock import Row
from selftune_build.stages.row import RowSpec


class Candidate(Struct, frozen=True):
    """A row of a lock that could be run again."""

    run: PackageRun
    spec: RowSpec
    row: Row

    @property
    def question(self) -> tuple[int, str, str]:
        """Rows that ask the same agent the same of the same tree share their samples."""
        return id(self.run.agent), self.spec.key, self.spec.staged.tree


class Pair(Struct, frozen=True):
    """A row of the draw: as the lock has it, and as its fresh samples are taken."""

    candidate: Candidate
    fresh: PackageRun
    plan: RowPlan


def new_nonce() -> str:
    """A nonce that nobody has seen."""
    return secrets.token_hex(AUDIT_NONCE_BYTES)


def checked_nonce(text: str) -> str:
    """A nonce as it is written and as its folder is called. Raises UsageError."""
    digits = text.lower()
    if not re.fullmatch(r"([0-9a-f]{2}){%d,%d}" % (AUDIT_NONCE_BYTES, AUDIT_NONCE_BYTES_MAX), digits, re.ASCII):  # noqa: UP031
        wanted = f"{2 * AUDIT_NONCE_BYTES} to {2 * AUDIT_NONCE_BYTES_MAX} hexadecimal digits, an even number of them"
        raise UsageError(f"{text[:80]!r} is no nonce", hint=f"{wanted}; without --nonce a new one is made")
    return digits


def candidates(runs: Iterable[PackageRun]) -> Iterator[Candidate]:
    """The rows that are asked for and say how something came out, of locks that hold.

    Raises UndecidedError where who answered or judged is not here as it was then.
    """
    for run in runs:
        _refuse_others(run)
        for spec in filter(run.wants, run.specs):
            row = kept_row(run.compared_by_lock(spec), run.lock.locks, run.agent.name)
            if row is not None and counts(row, spec):
                yield Candidate(run, spec, row)


def _refuse_others(run: PackageRun) -> None:
    """`--locked` compares an identity as far as manifest and tree declare it; here the plugin itself is at hand."""
    entry = run.lock.locks[0].agents[run.agent.name]
    others = [f"the agent {run.agent.name!r}"] if entry.identity != run.agent.identity else []
    if entry.judge is not None and run.judge is not None and entry.judge.identity != run.judge.agent.identity:
        others.append(f"the judge {run.judge.agent.name!r}")
    if others:
        hint = "install the release that the lock was made with; `selftune build` measures with the one that is here"
        raise UndecidedError(f"{others[0]} is here in another version than in the lock of {run.package.handle}", hint=hint)


def drawn(population: Iterable[Candidate], fraction: Fraction, nonce: str) -> list[Candidate]:
    """The first of them by rank, at least one; of several that share their samples only one, so that the draw is of
    independent rows."""
    key = bytes.fromhex(nonce)
    ranked = sorted(population, key=lambda candidate: _rank(candidate, key))
    first: dict[tuple[int, str, str], Candidate] = {}
    for candidate in ranked:
        first.setdefault(candidate.question, candidate)
    return list(first.values())[: max(1, ceil(fraction * len(ranked)))]


def first_sample(nonce: str) -> int:
    """Index of the first fresh sample: no agent has been asked for it before, and it is the same when an audit goes on."""
    return int.from_bytes(_hash(bytes.fromhex(nonce), ["first sample"])[:6]) % AUDIT_FIRST_SAMPLES


def _rank(candidate: Candidate, key: bytes) -> bytes:
    spec = candidate.spec
    return _hash(key, [spec.package.handle, candidate.run.agent.name, spec.arm.value, spec.case.id])


def _hash(key: bytes, message: list[str]) -> bytes:
    return hmac.new(key, canonical_json(message), "sha256").digest()
