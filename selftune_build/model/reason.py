"""Why something has to run."""

from __future__ import annotations

from msgspec import Struct


class Reason(Struct, frozen=True):
    """Why a row has to run: one per input that changed."""

    code: str
    name: str
    message: str
