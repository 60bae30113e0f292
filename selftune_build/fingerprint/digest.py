"""Tagged digests: `sha256:` for whatever names evidence (DESIGN section 6)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

import msgspec

ABSENT = "absent"
"""Stands for the digest of a file that was probed and is not there."""

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
_PLAIN = frozenset({str, int, bool, type(None)})
_ENCODER = msgspec.json.Encoder(order="sorted")


def digest_bytes(content: bytes) -> str:
    """`sha256:` and 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def is_digest(text: str) -> bool:
    """Whether a text has the form of a digest that names evidence; only then may a part of it become the name of a file."""
    return _SHA256.fullmatch(text) is not None


def canonical_json(value: Any) -> bytes:
    """One encoding for equal data: sorted keys, no white space, UTF-8, as `json.dumps` of the standard library writes it.

    Raises TypeError for what is no plain data with texts as keys. Floats are none: their text is not portable.
    """
    _refuse_odd(value)
    return _ENCODER.encode(value)


def digest_json(value: Any) -> str:
    """Digest of the canonical encoding of plain data."""
    return digest_bytes(canonical_json(value))


def _refuse_odd(value: Any) -> None:
    inside: Iterable[Any]
    if isinstance(value, dict):
        inside = value.values()
    elif isinstance(value, (list, tuple)):
        inside = value
    elif value is None or isinstance(value, (str, int)):
        return
    else:
        raise TypeError(f"a {type(value).__name__} has no canonical encoding")
    for item in inside:
        if type(item) not in _PLAIN:  # hardly anything of what is digested, a hundred thousand times
            _refuse_odd(item)
