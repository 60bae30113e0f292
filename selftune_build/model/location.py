"""Where in a file something was found."""

from __future__ import annotations

from msgspec import Struct


class Location(Struct, frozen=True):
    """A place in a file: one-based line and column, JSON pointer (RFC 6901) into its data."""

    path: str
    line: int | None = None
    column: int | None = None
    pointer: str | None = None

    def __str__(self) -> str:
        """`path:line:column (pointer)`, leaving out what is not known."""
        place = ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)
        return f"{place} ({self.pointer})" if self.pointer else place
