"""Lock → bytes: JSON, one-space indent, sorted keys, one scalar a line, LF, newline at the end, no floats."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from selftune_build.fingerprint.digest import canonical_json
from selftune_build.lock.seal import sealed
from selftune_build.model.lock import AgentEntry, JudgeEntry, Lock, Row

VERSION = 1
REVISION = 3
"""The latest that this release knows: 2 came with `package.surface`, `accepted` and `judge`, 3 with `signatures`, each only
where it says something."""
ACCEPTED, JUDGE, SURFACE, SIGNATURES = "accepted", "judge", "surface", "signatures"


def render(lock: Lock) -> bytes:
    """The canonical bytes of a lock: equal locks give equal bytes, and every other byte sequence is not a lock.

    Its revision is the smallest that has all its fields; that of a newer release where a field of one is left.
    """
    surface = {SURFACE: list(lock.surface)} if lock.surface else {}
    document = {
        **lock.extra,
        "version": VERSION,
        "revision": needed_revision(lock),
        "package": sealed({**lock.package_extra, **surface, "name": lock.package, "tree": lock.tree}, "package"),
        "policy": lock.policy,
        "agents": {name: _agent(lock.package, name, entry) for name, entry in lock.agents.items()},
    }
    accepted = {ACCEPTED: _accepted(lock)} if lock.accepted else {}
    return canonical(document | accepted | ({SIGNATURES: lock.signatures} if lock.signatures else {}))


def needed_revision(lock: Lock) -> int:
    """The smallest revision that has every field of the lock; its own where that is newer and some field is not known here."""
    if lock.revision > REVISION and _has_unknown(lock):
        return lock.revision
    judged = any(entry.judge is not None for entry in lock.agents.values())
    return 3 if lock.signatures else 2 if lock.surface or lock.accepted or judged else 1


def _accepted(lock: Lock) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for waiver in lock.accepted:
        place = (ACCEPTED, lock.package, waiver.target, waiver.key)
        found.setdefault(waiver.target, {})[waiver.key] = sealed({"reason": waiver.reason}, *place)
    return found


def canonical(document: dict[str, Any]) -> bytes:
    """Any lock document in its one rendering. Raises TypeError and ValueError for what none has, such as floats."""
    return msgspec.json.format(canonical_json(document), indent=1) + b"\n"


def is_canonical(document: dict[str, Any], content: bytes) -> bool:
    """Whether `content` is that rendering."""
    try:
        return content == canonical(document)
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can spell and UTF-8 cannot
        return False


def _agent(package: str, name: str, entry: AgentEntry) -> dict[str, Any]:
    return {
        **entry.extra,
        **({JUDGE: _judge(package, name, entry.judge)} if entry.judge is not None else {}),
        "identity": sealed(entry.identity, "identity", package, name),
        "origin": entry.origin,
        "gates": entry.gates,
        "cases": {
            case: {arm: sealed(row_fields(row), package, name, case, arm) for arm, row in arms.items()}
            for case, arms in entry.cases.items()
        },
    }


def _judge(package: str, agent: str, judge: JudgeEntry) -> dict[str, Any]:
    fields = {**judge.extra, "name": judge.name, "identity": judge.identity, "origin": judge.origin}
    return sealed(fields, JUDGE, package, agent)


def _has_unknown(lock: Lock) -> bool:
    """Whether some field is there that this release does not know."""
    entries = lock.agents.values()
    rows = (row for entry in entries for arms in entry.cases.values() for row in arms.values())
    return bool(lock.extra or lock.package_extra) or any(part.extra for parts in (entries, rows) for part in parts)


def row_fields(row: Row) -> dict[str, Any]:
    """The fields of a row as the lock carries them, without the seal; what is unset is left out."""
    fields = {**row.extra, "key": row.key, "observed": list(row.observed), "n": row.n, "evidence": row.evidence}
    optional = {"triggered": row.triggered, "passed": row.passed}
    return fields | {name: value for name, value in optional.items() if value is not UNSET}
