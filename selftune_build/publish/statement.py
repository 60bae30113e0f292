"""What is attested: an in-toto Statement (version 1) about an archive, with our summary of its evidence as predicate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from selftune_build import __version__
from selftune_build.errors import InputError
from selftune_build.model.package import Package
from selftune_build.model.report import PackageReport
from selftune_build.publish.archive import ArchivedFile

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:selftune-build:evaluation:1"
LOCK_PREDICATE_TYPE = "urn:selftune-build:lock:1"
ARCHIVE, TREE, LOCK = "archive", "package tree", "selftune.lock"


class StatedAgent(Struct, frozen=True):
    """What is stated of one agent."""

    name: str
    origin: str
    gates: dict[str, str]


class Stated(Struct, frozen=True):
    """What is stated, as far as archive and lock can be held against it."""

    skill: str
    agents: tuple[StatedAgent, ...]
    contents: tuple[dict[str, str | int | bool], ...]


def statement(
    package: Package, reports: Sequence[PackageReport], archive: bytes, files: Iterable[ArchivedFile], lock: bytes, policy: str
) -> bytes:
    """The statement as JSON: subjects are the archive, the package tree and the lock; equal input gives equal bytes."""
    document = {
        "_type": STATEMENT_TYPE,
        "subject": [
            {"name": ARCHIVE, "digest": {"sha256": sha256(archive)}},
            {"name": TREE, "digest": {"sha256": package.tree_digest.removeprefix("sha256:")}},
            {"name": LOCK, "digest": {"sha256": sha256(lock)}},
        ],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "skill": package.name,
            "tool": f"selftune-build {__version__}",
            "policy": policy,
            "agents": [_agent(report) for report in reports],
            "accepted": [{"target": each.target, "key": each.key, "reason": each.reason} for each in package.manifest.accepted],
            "contents": bill(files),
        },
    }
    return _canonical(document)


def bill(files: Iterable[ArchivedFile]) -> list[dict[str, str | int | bool]]:
    """What an archive of these files holds, sorted by path."""
    return [_content(file) for file in sorted(files, key=lambda each: each.path)]


def about_lock(skill: str, lock: bytes) -> bytes:
    """The statement that an identity signs who vouches for a lock as it stands without signatures; one for each lock."""
    document = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": LOCK, "digest": {"sha256": sha256(lock)}}],
        "predicateType": LOCK_PREDICATE_TYPE,
        "predicate": {"skill": skill},
    }
    return _canonical(document)


def read(payload: bytes) -> dict[str, Any]:
    """A statement of ours as it is, its digests under `subjects`; nothing in it is believed yet. Raises InputError."""
    try:
        document = json.loads(payload)
        known = document["_type"] == STATEMENT_TYPE and document["predicateType"] == PREDICATE_TYPE
        subjects = {str(each["name"]): str(each["digest"]["sha256"]) for each in document["subject"]}
        ours = _canonical(document) == payload
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError("the attestation holds no statement") from error
    if not known or set(subjects) != {ARCHIVE, TREE, LOCK}:
        raise InputError("the attestation states something else than the evaluation of a skill")
    if not ours:
        raise InputError("the attestation was changed: its statement is not written as it is written by us")
    return {**document, "subjects": subjects, "stated": _stated(document["predicate"])}


def sha256(content: bytes) -> str:
    """Hexadecimal digits, as in-toto writes a digest."""
    return hashlib.sha256(content).hexdigest()


def _canonical(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _stated(predicate: Any) -> Stated:
    """Raises InputError."""
    try:
        return msgspec.convert(predicate, Stated)
    except (msgspec.ValidationError, RecursionError) as error:
        raise InputError(f"the attestation does not say what an evaluation says: {error}") from error


def _agent(report: PackageReport) -> dict[str, Any]:
    """Numbers as decimal text: what is signed holds no floats."""
    metrics = {
        name: {"value": f"{found.value:.4f}", "low": f"{found.low:.4f}", "high": f"{found.high:.4f}", "n": found.n}
        for name, found in report.metrics.items()
    }
    gates = {gate.id: gate.verdict.value for gate in report.gates}
    beside = {gate.id: gate.message for gate in report.gates if gate.fleeting}
    said = {"name": report.agent, "origin": report.origin, "verdict": report.verdict.value, "gates": gates, "metrics": metrics}
    return {**said, "beside_the_lock": beside} if beside else said


def _content(file: ArchivedFile) -> dict[str, str | int | bool]:
    return {"path": file.path, "sha256": sha256(file.content), "size": len(file.content), "executable": file.executable}
