"""One thing that is wrong in a store: a stable id, how bad it is, and what would mend it (docs/formats/store.md)."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Severity(StrEnum):
    """How bad it is. An error means that something paid for is lost, unusable or not what it claims to be."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Cure(StrEnum):
    """What a repair does; none of them ever deletes the only copy of what was paid for."""

    NONE = "none"
    ASIDE = "aside"
    """Rename it to `<name>.corrupt-<N>`."""
    MOVE = "move"
    """Rename it to where it belongs."""
    REMOVE = "remove"
    """Delete what holds no answer, or one that is archived already, or what the next build makes anew."""
    BITS = "bits"
    """Set the permission bits that the owner needs, and take writing away from everybody else's."""
    WRITE = "write"
    """Write it again from what stands in the workspace."""


class Ailment(Struct, frozen=True):
    """What is wrong with what; `path` is relative to the store, `target` where a cure puts something."""

    code: str
    severity: Severity
    path: str
    message: str
    cure: Cure = Cure.NONE
    target: str = ""


class Examination(Struct, frozen=True):
    """All that was found, and how many files of each kind were looked at."""

    ailments: tuple[Ailment, ...]
    checked: dict[str, int]

    @property
    def errors(self) -> int:
        """How many of them are errors."""
        return sum(ailment.severity is Severity.ERROR for ailment in self.ailments)
