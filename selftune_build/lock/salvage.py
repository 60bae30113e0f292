"""One side of a conflicted lock that a merge left in pieces → a lock of the parts whose seal holds.

Git cuts conflicts by lines, not by objects, so a side of them need not be JSON: where both branches add cases side by side it
mostly is none. But in the canonical rendering the indent of a line says where it stands, so every part is found without its
braces, and a part that was put together from two has no seal that holds.
"""

from __future__ import annotations

import json
import re
from typing import Any

from selftune_build.limits import LOCK_DEPTH
from selftune_build.lock.rendering import ACCEPTED, JUDGE, SURFACE, VERSION, canonical
from selftune_build.lock.seal import holds
from selftune_build.model.sample import EvidenceOrigin
from selftune_build.model.verdict import Verdict

_NAMED = re.compile(r' *("(?:[^"\\]|\\.)*"): (.*)')
_UNKNOWN = "sha256:" + "0" * 64
"""In place of a digest of the whole that the pieces do not tell; it is that of nothing."""


def salvaged(content: bytes) -> bytes:
    """A canonical lock of what is whole in these lines. Raises ValueError where not even the package can be told."""
    found = _tree(content.decode().split("\n"))
    package = found.get("package")
    name = package.get("name") if isinstance(package, dict) else None
    if not isinstance(package, dict) or not isinstance(name, str):
        raise ValueError("the lines do not say which package they are about")
    agents = found.get("agents")
    whole = package if _is_whole(package, "package") else {"name": name, "tree": _UNKNOWN, "seal": _UNKNOWN}
    entries = {agent: entry for agent, fields in _objects(agents) if (entry := _entry(name, agent, fields)) is not None}
    taken = _accepted(name, found.get(ACCEPTED))
    later = taken or SURFACE in whole or any(JUDGE in entry for entry in entries.values())
    document = {
        "version": found.get("version", VERSION),
        "revision": 2 if later else 1,
        "package": whole,
        "policy": _text(found.get("policy")) or _UNKNOWN,
        "agents": entries,
    }
    return canonical(document | ({ACCEPTED: taken} if taken else {}))


def _accepted(package: str, value: object) -> dict[str, Any]:
    """What a human accepted and whose seal holds."""
    held = {
        target: {key: fields for key, fields in _objects(keys) if _is_whole(fields, ACCEPTED, package, target, key)}
        for target, keys in _objects(value)
    }
    return {target: keys for target, keys in held.items() if keys}


def _tree(lines: list[str]) -> dict[str, Any]:
    """The names and values that the lines have, each under the names above it with less indent."""
    top: dict[str, Any] = {}
    above: list[Any] = [top]
    for line in lines:
        named = _NAMED.fullmatch(line)
        depth = len(line) - len(line.lstrip(" "))
        if 1 <= depth <= min(len(above), LOCK_DEPTH):
            del above[depth:]
            _put(above, named[1] if named else None, named[2] if named else line.strip(" "))
    return top


def _put(above: list[Any], name: str | None, value: str) -> None:
    """Add what a line holds to the object or list above it, and itself where more can stand below it."""
    place = above[-1]
    opened: dict[str, Any] = {"{": {}, "[": []}
    try:
        inner = (
            opened[value] if value in opened else json.loads(value.removesuffix(","), parse_float=_refuse, parse_constant=_refuse)
        )
        key = json.loads(name) if name is not None else None
    except (ValueError, RecursionError):  # a brace that closes something, or no name
        return
    if isinstance(place, dict) and key is not None:
        place[key] = inner
    elif isinstance(place, list) and key is None:
        place.append(inner)
    else:
        return
    if value in opened:
        above.append(inner)


def _refuse(literal: str) -> Any:
    raise ValueError(f"{literal} is not an integer")


def _is_whole(fields: dict[str, Any], *place: str) -> bool:
    """Whether the seal holds; it does not where a text could not even be written."""
    try:
        return holds(fields, *place)
    except ValueError:
        return False


def _entry(package: str, agent: str, fields: dict[str, Any]) -> dict[str, Any] | None:
    """What is whole of an agent's entry, None where its identity is not."""
    identity, origin, gates = fields.get("identity"), _text(fields.get("origin")), fields.get("gates")
    if (
        not isinstance(identity, dict)
        or not _is_whole(identity, "identity", package, agent)
        or origin not in tuple(EvidenceOrigin)
    ):
        return None
    cases = {case: rows for case, arms in _objects(fields.get("cases")) if (rows := _rows(arms, package, agent, case))}
    verdicts = {gate: said for gate, said in (gates.items() if isinstance(gates, dict) else ()) if _text(said) in tuple(Verdict)}
    judge = fields.get(JUDGE)
    judged = {JUDGE: judge} if isinstance(judge, dict) and _is_whole(judge, JUDGE, package, agent) else {}
    return {**judged, "identity": identity, "origin": origin, "gates": verdicts, "cases": cases}


def _rows(arms: dict[str, Any], package: str, agent: str, case: str) -> dict[str, Any]:
    return {arm: row for arm, row in _objects(arms) if _is_whole(row, package, agent, case, arm)}


def _objects(value: object) -> list[tuple[str, dict[str, Any]]]:
    return [(name, inner) for name, inner in value.items() if isinstance(inner, dict)] if isinstance(value, dict) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
