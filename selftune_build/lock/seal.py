"""Seals: a digest over a part of the lock and its address. They find accidents and careless hands, not forgers."""

from __future__ import annotations

from typing import Any

from selftune_build.fingerprint.digest import digest_json

SEAL = "seal"


def sealed(fields: dict[str, Any], *place: str) -> dict[str, Any]:
    """The fields with the seal that belongs to them at this place of the lock."""
    return {**fields, SEAL: seal_of(fields, *place)}


def seal_of(fields: dict[str, Any], *place: str) -> str:
    """Digest of an address and every field there but the seal."""
    return digest_json([list(place), {name: value for name, value in fields.items() if name != SEAL}])


def holds(fields: dict[str, Any], *place: str) -> bool:
    """Whether the seal in `fields` is the one that belongs to them at this place."""
    return fields.get(SEAL) == seal_of(fields, *place)
