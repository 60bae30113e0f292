"""Tagged digests: `sha256:` for whatever names evidence (DESIGN section 6)."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

ABSENT = "absent"
"""Stands for the digest of a file that was probed and is not there."""

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_bytes(content: bytes) -> str:
    """`sha256:` and 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def is_digest(text: str) -> bool:
    """Whether a text has the form of a digest that names evidence; only then may a part of it become the name of a file."""
    return _SHA256.fullmatch(text) is not None


def canonical_json(value: Any) -> bytes:
    """One encoding for equal data: sorted keys, no white space, UTF-8. Floats are refused: their text is not portable."""
    _refuse_floats(value)
    return _ENCODER.encode(value).encode()


def digest_json(value: Any) -> str:
    """Digest of the canonical encoding of plain data."""
    return digest_bytes(canonical_json(value))


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("a float has no canonical encoding")
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    for item in inside:
        if type(item) is not str:  # most of what is digested, ten thousands of times
            _refuse_floats(item)
