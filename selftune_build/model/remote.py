"""What an invocation had to do with a remote."""

from __future__ import annotations

from msgspec import Struct


class RemoteState(Struct, frozen=True):
    """The remote that the user has named for a workspace: whether it answers, and whether all that was paid for is there."""

    url: str
    read: tuple[str, ...]
    write: str | None
    reached: bool
    trouble: str = ""
    unsent: bool = False
    """Whether an earlier build could not give everything."""


class RemoteReport(Struct, frozen=True):
    """Samples that came from a remote and samples that went there; `trouble` is why not everything did, empty where it did."""

    url: str
    read: tuple[str, ...]
    """Tiers, in the order in which they were asked."""
    write: str | None
    """The tier that was written, None where nothing is."""
    taken: int = 0
    refused: dict[str, int] = {}
    """Why samples were not believed → how many."""
    sent: int = 0
    unsent: int = 0
    trouble: str = ""
