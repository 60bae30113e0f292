"""Rows as nearly all are: each field of its kind, nothing unknown, the seal intact. What another one is, the parser says."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.limits import LOCK_COUNT
from selftune_build.model.lock import Row

_Digest = Annotated[str, Meta(pattern=r"\Asha256:[0-9a-f]{64}\Z")]
_Count = Annotated[int, Meta(ge=0, le=LOCK_COUNT)]


class _Fields(Struct, forbid_unknown_fields=True):
    """A row of the document. In the order of their names, so that the encoding is the canonical one."""

    evidence: _Digest
    key: _Digest
    n: Annotated[int, Meta(ge=1, le=LOCK_COUNT)]
    observed: list[Annotated[str, Meta(min_length=1)]]
    passed: _Count | UnsetType = UNSET
    seal: _Digest | UnsetType = UNSET
    triggered: _Count | UnsetType = UNSET


_ENCODER = msgspec.json.Encoder()


def plain_row(fields: object, *place: str) -> Row | None:
    """The row at this place of a canonical document; None where it is another kind of row, or none whose seal holds."""
    try:
        row = msgspec.convert(fields, _Fields)
    except msgspec.ValidationError:
        return None
    names, seal, row.seal = row.observed, row.seal, UNSET
    counted = all(count is UNSET or count <= row.n for count in (row.triggered, row.passed))
    if not counted or (len(names) > 1 and names != sorted(set(names))):
        return None
    if seal != digest_bytes(_ENCODER.encode((place, row))):
        return None
    return Row(row.key, tuple(names), row.n, row.evidence, row.triggered, row.passed)
