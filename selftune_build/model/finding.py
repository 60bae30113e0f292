"""What a reader or a rule noticed about a package."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from selftune_build.model.location import Location


class Severity(StrEnum):
    """`error` fails the `spec` gate; `warning` and `note` are shown and decide nothing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Finding(Struct, frozen=True):
    """One observation with a stable code, a place and, where there is one, a way to mend it."""

    code: str
    severity: Severity
    message: str
    at: Location | None = None
    hint: str | None = None
    key: str | None = None
    """What a waiver of it names (`accepted` of the manifest); None where it cannot be waived."""
