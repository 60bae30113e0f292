"""What of an invocation the commands to type next have to repeat."""

from __future__ import annotations

from msgspec import Struct


class Repeated(Struct, frozen=True):
    """Where it was asked, and of whom, as it was typed; empty where it was left to the manifest."""

    directory: str = ""
    """The folder of `-C`."""
    agents: tuple[str, ...] = ()
    model: str | None = None
