"""Structs that several threads convert to: msgspec learns each of them once, under a lock.

What a struct is made of msgspec (0.22) works out when it is first converted to. Where that struct holds others, a second thread
that converts to it meanwhile finds it half known, and the process dies with a segmentation fault.
"""

from __future__ import annotations

import threading
from typing import TypeVar

import msgspec

_Kind = TypeVar("_Kind")
_learning = threading.Lock()
_learned: set[type] = set()


def learned(kind: type[_Kind]) -> type[_Kind]:
    """The type itself, once msgspec knows it whole."""
    if kind not in _learned:
        with _learning:
            msgspec.json.Decoder(kind)
            _learned.add(kind)
    return kind
