"""A candidate as it is kept: one line of JSON that says what it is, then its patch, so that `git apply` takes it as it is.

The format is described in docs/formats/candidate.md; the schema of the first line is schemas/selftune-candidate-1.json.
"""

from __future__ import annotations

from msgspec import Struct, ValidationError, convert

from selftune_build.errors import InputError
from selftune_build.fingerprint.digest import canonical_json, digest_bytes, is_digest
from selftune_build.limits import CANDIDATE_HEAD_BYTES
from selftune_build.model.candidate import Candidate
from selftune_build.model.location import Location
from selftune_build.reading.json_text import load
from selftune_build.reading.patch import read_patch

SCHEMA = "selftune.candidate/1"
_AGAIN = "take a candidate as `selftune mutate` wrote it, or a plain patch"


class _Mutator(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    version: str


class _Head(Struct, frozen=True, forbid_unknown_fields=True):
    """Keys in the order in which they are written: sorted."""

    mutator: _Mutator
    package: str
    parent: str
    reason: str
    schema: str
    surface: tuple[str, ...]


def candidate_bytes(candidate: Candidate, patch: bytes) -> bytes:
    """The document: equal candidates have equal bytes."""
    head = {
        "mutator": {"id": candidate.mutator, "version": candidate.version},
        "package": candidate.package,
        "parent": candidate.parent,
        "reason": candidate.reason,
        "schema": SCHEMA,
        "surface": sorted(candidate.surface),
    }
    return canonical_json(head) + b"\n" + patch


def read_candidate(content: bytes, shown: str) -> Candidate | None:
    """The candidate in a document, None for a plain patch. Raises InputError for what is neither."""
    if not content.startswith(b"{"):
        return None
    line, _, patch = content.partition(b"\n")
    head = _head(line, shown)
    files = read_patch(patch, shown, first=2)
    mutator = head.mutator
    return Candidate(
        head.package, head.parent, mutator.id, mutator.version, head.reason, head.surface, files, digest_bytes(content)
    )


def _head(line: bytes, shown: str) -> _Head:
    at = Location(shown, 1)
    if len(line) > CANDIDATE_HEAD_BYTES:
        raise InputError(f"the first line is longer than {CANDIDATE_HEAD_BYTES:,} bytes", at=at, hint=_AGAIN, code="bad-patch")
    data = load(line, shown).data
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise InputError(f"its first line is JSON, and no candidate of {SCHEMA}", at=at, hint=_AGAIN, code="bad-patch")
    try:
        head = convert(data, _Head)
    except ValidationError as error:
        raise InputError(f"its first line is no candidate: {error}", at=at, hint=_AGAIN, code="bad-patch") from None
    if not is_digest(head.parent):
        raise InputError("its `parent` is no digest", at=at, hint=_AGAIN, code="bad-patch")
    return head
