"""Bytes → lock, without trust: what does not hold is a problem with a code of DESIGN 8.4, and is left out."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from selftune_build.limits import LOCK_BYTES, LOCK_DEPTH
from selftune_build.lock.rendering import REVISION, VERSION, canonical
from selftune_build.lock.seal import SEAL, holds
from selftune_build.model.lock import AgentEntry, Lock, Row

CONFLICT_MARKERS = (b"<<<<<<< ", b"=======", b">>>>>>> ")


class LockProblem(Struct, frozen=True):
    """One way in which a lock cannot be believed."""

    code: str
    message: str
    case: str | None = None


class LockReading(Struct, frozen=True):
    """What could be read of a lock: the sides of it that hold (one; two after a merge conflict) and what did not."""

    locks: tuple[Lock, ...] = ()
    problems: tuple[LockProblem, ...] = ()


class _Malformed(ValueError):
    pass


def read_lock(content: bytes) -> LockReading:
    """Read a lock. Never raises: parts whose seal does not hold are dropped and named."""
    if len(content) > LOCK_BYTES:
        return _nothing("lock-malformed", f"the lock is larger than {LOCK_BYTES} bytes")
    if _has_markers(content):
        readings = [_read_side(side) for side in conflict_sides(content)]
        found = tuple(lock for reading in readings for lock in reading.locks)
        return LockReading(found, (LockProblem("lock-conflict", "the lock holds conflict markers of a merge"),))
    return _read_side(content)


def _nothing(code: str, message: str) -> LockReading:
    return LockReading((), (LockProblem(code, message),))


def _has_markers(content: bytes) -> bool:
    return any(line.startswith(CONFLICT_MARKERS[0]) for line in content.splitlines())


def conflict_sides(content: bytes) -> tuple[bytes, bytes]:
    """The two texts that a merge could not reconcile (two-way and diff3 markers)."""
    ours: list[bytes] = []
    theirs: list[bytes] = []
    side = "both"
    for line in content.splitlines(keepends=True):
        marker = line[:7]
        if marker in (b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>"):
            side = {b"<<<<<<<": "ours", b"|||||||": "base", b"=======": "theirs", b">>>>>>>": "both"}[marker]
            continue
        if side in ("both", "ours"):
            ours.append(line)
        if side in ("both", "theirs"):
            theirs.append(line)
    return b"".join(ours), b"".join(theirs)


def _read_side(content: bytes) -> LockReading:
    try:
        document = json.loads(content, parse_constant=_refuse, parse_float=_refuse)
        if _depth(document) > LOCK_DEPTH:
            raise _Malformed("it is nested too deeply")
        version = _field(document, "version", int)
        if version > VERSION:
            return _nothing("lock-from-the-future", f"the lock has version {version}; this release reads {VERSION}")
        if canonical(document) != content:
            raise _Malformed("it is not in its canonical rendering")
        return _Parser(document).read()
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError, msgspec.ValidationError) as error:
        return _nothing("lock-malformed", f"the lock cannot be read: {error}")


def _refuse(text: str) -> Any:
    raise _Malformed(f"{text} is not an integer")


def _depth(value: Any) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((_depth(child) for child in children), default=0)


def _field(fields: Any, name: str, kind: type) -> Any:
    if not isinstance(fields, dict):
        raise _Malformed("an object is expected")
    value = fields.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _Malformed(f"{name!r} is missing or of the wrong type")
    return value


class _Parser:
    """Walks one document; collects the parts that hold and a problem for each that does not."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.revision: int = _field(document, "revision", int)
        self.problems: list[LockProblem] = []

    def read(self) -> LockReading:
        package = _field(self.document, "package", dict)
        name = _field(package, "name", str)
        if not holds(package, "package"):
            self._tampered("the seal of `package` does not hold")
        lock = Lock(
            package=name,
            tree=_field(package, "tree", str),
            policy=_field(self.document, "policy", str),
            agents=self._agents(name),
            revision=self.revision,
            extra=self._extra(self.document, {"version", "revision", "package", "policy", "agents"}),
        )
        self._extra(package, {"name", "tree", SEAL})
        return LockReading((lock,), tuple(self.problems))

    def _agents(self, package: str) -> dict[str, AgentEntry]:
        agents = _field(self.document, "agents", dict)
        return {name: entry for name in agents if (entry := self._agent(package, name, agents[name])) is not None}

    def _agent(self, package: str, name: str, fields: Any) -> AgentEntry | None:
        identity = _field(fields, "identity", dict)
        if not holds(identity, "identity", package, name):
            self._tampered(f"the seal of the identity of agent {name!r} does not hold")
            return None
        return AgentEntry(
            identity={key: value for key, value in identity.items() if key != SEAL},
            origin=_field(fields, "origin", str),
            cases={case: self._arms(package, name, case, arms) for case, arms in _field(fields, "cases", dict).items()},
            gates=msgspec.convert(_field(fields, "gates", dict), dict[str, str]),
            extra=self._extra(fields, {"identity", "origin", "cases", "gates"}),
        )

    def _arms(self, package: str, agent: str, case: str, arms: Any) -> dict[str, Row]:
        if not isinstance(arms, dict):
            raise _Malformed(f"case {case!r} is not an object")
        kept: dict[str, Row] = {}
        for arm, fields in arms.items():
            row = self._row(fields)
            if holds(fields, package, agent, case, arm):
                kept[arm] = row
            else:
                self._tampered(f"the seal of {case!r} under {arm} does not hold", case)
        return kept

    def _row(self, fields: Any) -> Row:
        row = Row(
            key=_field(fields, "key", str),
            observed=msgspec.convert(_field(fields, "observed", list), tuple[str, ...]),
            n=_field(fields, "n", int),
            evidence=_field(fields, "evidence", str),
            triggered=_field(fields, "triggered", int) if "triggered" in fields else UNSET,
            passed=_field(fields, "passed", int) if "passed" in fields else UNSET,
            extra=self._extra(fields, {"key", "observed", "n", "evidence", "triggered", "passed", SEAL}),
        )
        _plausible(row)
        return row

    def _extra(self, fields: dict[str, Any], known: set[str]) -> dict[str, Any]:
        unknown = {name: value for name, value in fields.items() if name not in known}
        if unknown and self.revision <= REVISION:
            raise _Malformed(f"unknown field {sorted(unknown)[0]!r}")
        return unknown

    def _tampered(self, message: str, case: str | None = None) -> None:
        self.problems.append(LockProblem("lock-tampered", message, case))


def _plausible(row: Row) -> None:
    counts = [count for count in (row.triggered, row.passed) if count is not UNSET]
    if row.n < 1 or any(not 0 <= count <= row.n for count in counts) or list(row.observed) != sorted(set(row.observed)):
        raise _Malformed("a row has counts or observed names that cannot be")
