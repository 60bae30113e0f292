"""Bytes → lock, without trust: what does not hold is a problem with a code of DESIGN 8.4, and is left out."""

from __future__ import annotations

import json
from collections.abc import Sized
from contextlib import suppress
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from selftune_build.limits import ENVELOPE_SIGNATURES, LOCK_BYTES, LOCK_DEPTH
from selftune_build.lock.conflict import conflict_sides, has_markers
from selftune_build.lock.fields import Malformed, base64_text, count, digest, inner, names, one_of, record, text
from selftune_build.lock.plain_row import plain_row
from selftune_build.lock.rendering import ACCEPTED, JUDGE, REVISION, SIGNATURES, SURFACE, VERSION, is_canonical, needed_revision
from selftune_build.lock.salvage import salvaged
from selftune_build.lock.seal import SEAL, holds
from selftune_build.model.case import Arm
from selftune_build.model.lock import AgentEntry, JudgeEntry, Lock, Row
from selftune_build.model.manifest import Waiver
from selftune_build.model.sample import EvidenceOrigin
from selftune_build.model.verdict import Verdict

FUTURE = "lock-from-the-future"
_DEEP = b"\n" + b" " * LOCK_DEPTH
"""What stands in the canonical rendering of a document with more than that many levels, and hardly anywhere else."""
_Sized = TypeVar("_Sized", bound=Sized)
_ARMS, _ORIGINS, _VERDICTS = tuple(Arm), tuple(EvidenceOrigin), tuple(Verdict)


class LockProblem(Struct, frozen=True):
    """One way in which a lock cannot be believed; `agent`, `case` and `arm` where it is about a part of it."""

    code: str
    message: str
    agent: str | None = None
    case: str | None = None
    arm: str | None = None


class LockReading(Struct, frozen=True):
    """What could be read of a lock: the sides of it that hold (one; two after a merge conflict) and what did not."""

    locks: tuple[Lock, ...] = ()
    problems: tuple[LockProblem, ...] = ()


def read_lock(content: bytes) -> LockReading:
    """Read a lock. Never raises: parts whose seal does not hold are dropped and named."""
    if len(content) > LOCK_BYTES:
        return _nothing("lock-malformed", f"the lock is larger than {LOCK_BYTES} bytes")
    if has_markers(content):
        readings = [_read_piece(side) for side in conflict_sides(content)]
        future = [problem for reading in readings for problem in reading.problems if problem.code == FUTURE]
        found = tuple(lock for reading in readings for lock in reading.locks)
        return LockReading(found, (LockProblem("lock-conflict", "the lock holds conflict markers of a merge"), *future[:1]))
    return _read_side(content)


def _read_piece(content: bytes) -> LockReading:
    """One side of a conflict, as far as it is whole."""
    reading = _read_side(content)
    if reading.locks or any(problem.code == FUTURE for problem in reading.problems):
        return reading
    try:
        return _read_side(salvaged(content))
    except (ValueError, RecursionError):
        return reading


def _nothing(code: str, message: str) -> LockReading:
    return LockReading((), (LockProblem(code, message),))


def _read_side(content: bytes) -> LockReading:
    try:
        document, canonical = _decoded(content)
        version = document.get("version")
        if isinstance(version, int) and version > VERSION:
            return _nothing(FUTURE, f"the lock is of a newer version than {VERSION}, the one that this release reads")
        count(document, "version", VERSION, VERSION)
        if not canonical:
            raise Malformed("it is not in its canonical rendering")
        return _Parser(document).read()
    except (ValueError, RecursionError) as error:
        return _nothing("lock-malformed", f"the lock cannot be read: {error}")


def _decoded(content: bytes) -> tuple[dict[str, Any], bool]:
    """The document, and whether these bytes are its canonical rendering. Raises ValueError and RecursionError."""
    with suppress(ValueError, TypeError, RecursionError):
        known = msgspec.json.decode(content)
        if isinstance(known, dict) and _DEEP not in content and is_canonical(known, content):
            return known, True
    # Whatever else it is, the reader of the standard library says what is wrong with it.
    document = record(json.loads(content, parse_constant=_refuse, parse_float=_refuse))
    _refuse_depth(document)
    return document, is_canonical(document, content)


def _refuse(literal: str) -> Any:
    raise Malformed(f"{literal} is not an integer")


def _refuse_depth(document: dict[str, Any]) -> None:
    """Raise Malformed where the document has too many levels."""
    level: list[Any] = [document]
    for _ in range(LOCK_DEPTH):
        inner = (value.values() if isinstance(value, dict) else value for value in level)
        level = [child for children in inner for child in children if isinstance(child, (dict, list))]
    if level:
        raise Malformed("it is nested too deeply")


class _Parser:
    """Walks one document; collects the parts that hold and a problem for each that does not."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.revision = count(document, "revision", 1)
        self.problems: list[LockProblem] = []

    def read(self) -> LockReading:
        package = inner(self.document, "package")
        name = text(package, "name")
        if not self._sealed(package, "package"):
            self._tampered("the seal of `package` does not hold")
        later = {SURFACE, ACCEPTED} if self.revision > 1 else set()
        signed = {SIGNATURES} if self.revision > 2 else set()
        known = {"version", "revision", "package", "policy", "agents", *signed, *(later - {SURFACE})}
        lock = Lock(
            package=name,
            tree=digest(package, "tree"),
            policy=digest(self.document, "policy"),
            agents=self._agents(name),
            signatures=self._signatures() if SIGNATURES in signed and SIGNATURES in self.document else {},
            revision=self.revision,
            surface=_some(names(package, SURFACE)) if SURFACE in later and SURFACE in package else (),
            accepted=self._accepted(name) if ACCEPTED in later and ACCEPTED in self.document else (),
            extra=self._extra(self.document, known),
            package_extra=self._extra(package, {"name", "tree", SEAL, *(later - {ACCEPTED})}),
        )
        needed = needed_revision(lock)
        if not self.problems and self.revision != needed:
            raise Malformed(f"it has revision {self.revision}, and its fields are those of {needed}")
        return LockReading((lock,), tuple(self.problems))

    def _accepted(self, package: str) -> tuple[Waiver, ...]:
        targets = _some(inner(self.document, ACCEPTED))
        kept: list[Waiver] = []
        for target in targets:
            for key in (keys := _some(inner(targets, target))):
                fields = inner(keys, key)
                self._extra(fields, {"reason", SEAL})
                if self._sealed(fields, ACCEPTED, package, target, key):
                    kept.append(Waiver(target, key, text(fields, "reason")))
                else:
                    self._tampered(f"the seal of what was accepted of {target!r} does not hold")
        return tuple(kept)

    def _signatures(self) -> dict[str, str]:
        fields = _some(inner(self.document, SIGNATURES))
        if len(fields) > ENVELOPE_SIGNATURES or not all(fields):
            raise Malformed(f"there are more than {ENVELOPE_SIGNATURES} signatures, or one of a key without a name")
        return {key: base64_text(fields, key) for key in fields}

    def _agents(self, package: str) -> dict[str, AgentEntry]:
        agents = inner(self.document, "agents")
        return {name: entry for name in agents if (entry := self._agent(package, name, inner(agents, name))) is not None}

    def _agent(self, package: str, name: str, fields: dict[str, Any]) -> AgentEntry | None:
        identity = inner(fields, "identity")
        gates = inner(fields, "gates")
        later = {JUDGE} if self.revision > 1 else set()
        entry = AgentEntry(
            identity={key: value for key, value in identity.items() if key != SEAL},
            origin=one_of(fields, "origin", _ORIGINS),
            cases={case: self._arms(package, name, case, record(arms)) for case, arms in inner(fields, "cases").items()},
            gates={gate: one_of(gates, gate, _VERDICTS) for gate in gates},
            judge=self._judge(package, name, inner(fields, JUDGE)) if JUDGE in later and JUDGE in fields else None,
            extra=self._extra(fields, {"identity", "origin", "cases", "gates", *later}),
        )
        if self._sealed(identity, "identity", package, name):
            return entry
        self._tampered(f"the seal of the identity of agent {name!r} does not hold", name)
        return None

    def _judge(self, package: str, agent: str, fields: dict[str, Any]) -> JudgeEntry | None:
        judge = JudgeEntry(
            name=text(fields, "name"),
            identity=inner(fields, "identity"),
            origin=one_of(fields, "origin", _ORIGINS),
            extra=self._extra(fields, {"name", "identity", "origin", SEAL}),
        )
        if self._sealed(fields, JUDGE, package, agent):
            return judge
        self._tampered(f"the seal of the judge of agent {agent!r} does not hold", agent)
        return None

    def _arms(self, package: str, agent: str, case: str, arms: dict[str, Any]) -> dict[str, Row]:
        if not arms or set(arms) - set(_ARMS):
            raise Malformed(f"case {case!r} has no arm, or one that is none of {', '.join(_ARMS)}")
        kept: dict[str, Row] = {}
        for arm in arms:
            plain = plain_row(arms[arm], package, agent, case, arm)
            if plain is not None:
                kept[arm] = plain
                continue
            fields = inner(arms, arm)
            row = self._row(fields)
            if self._sealed(fields, package, agent, case, arm):
                kept[arm] = row
            else:
                self._tampered(f"the seal of {case!r} under {arm} does not hold", agent, case, arm)
        return kept

    def _row(self, fields: dict[str, Any]) -> Row:
        n = count(fields, "n", 1)
        return Row(
            key=digest(fields, "key"),
            observed=names(fields, "observed"),
            n=n,
            evidence=digest(fields, "evidence"),
            triggered=_of(n, fields, "triggered"),
            passed=_of(n, fields, "passed"),
            extra=self._extra(fields, {"key", "observed", "n", "evidence", "triggered", "passed", SEAL}),
        )

    def _sealed(self, fields: dict[str, Any], *place: str) -> bool:
        digest(fields, SEAL)
        return holds(fields, *place)

    def _extra(self, fields: dict[str, Any], known: set[str]) -> dict[str, Any]:
        unknown = {name: value for name, value in fields.items() if name not in known}
        if unknown and self.revision <= REVISION:
            raise Malformed(f"unknown field {min(unknown)!r}")
        return unknown

    def _tampered(self, message: str, *about: str) -> None:
        self.problems.append(LockProblem("lock-tampered", message, *about))


def _some(value: _Sized) -> _Sized:
    """A field that is left out where it is empty. Raises Malformed."""
    if not value:
        raise Malformed("a field that says nothing is left out")
    return value


def _of(n: int, fields: dict[str, Any], name: str) -> int | UnsetType:
    """A count of samples among `n`, where there is one."""
    return count(fields, name, 0, n) if name in fields else UNSET
