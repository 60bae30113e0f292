"""Lock → bytes: JSON, one-space indent, sorted keys, one scalar a line, LF, newline at the end, no floats."""

from __future__ import annotations

import json
from typing import Any

from msgspec import UNSET

from selftune_build.lock.seal import sealed
from selftune_build.model.lock import AgentEntry, Lock, Row

VERSION = 1
REVISION = 1
_ENCODER = json.JSONEncoder(indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)


def render(lock: Lock) -> bytes:
    """The canonical bytes of a lock: equal locks give equal bytes, and every other byte sequence is not a lock.

    Its revision is the smallest that has all its fields: that of ours where no field of a newer one is left.
    """
    document = {
        **lock.extra,
        "version": VERSION,
        "revision": lock.revision if _has_unknown(lock) else REVISION,
        "package": sealed({**lock.package_extra, "name": lock.package, "tree": lock.tree}, "package"),
        "policy": lock.policy,
        "agents": {name: _agent(lock.package, name, entry) for name, entry in lock.agents.items()},
    }
    return canonical(document)


def canonical(document: dict[str, Any]) -> bytes:
    """Any lock document in its one rendering."""
    return (_ENCODER.encode(document) + "\n").encode()


def is_canonical(document: dict[str, Any], content: bytes) -> bool:
    """Whether `content` is that rendering; ends at the first difference. Raises UnicodeDecodeError for what is no UTF-8."""
    text, place = content.decode(), 0
    for piece in _ENCODER.iterencode(document):
        if not text.startswith(piece, place):
            return False
        place += len(piece)
    return text[place:] == "\n"


def _agent(package: str, name: str, entry: AgentEntry) -> dict[str, Any]:
    return {
        **entry.extra,
        "identity": sealed(entry.identity, "identity", package, name),
        "origin": entry.origin,
        "gates": entry.gates,
        "cases": {
            case: {arm: sealed(row_fields(row), package, name, case, arm) for arm, row in arms.items()}
            for case, arms in entry.cases.items()
        },
    }


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
