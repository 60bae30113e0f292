"""What the rows of a package say beside its gates."""

from __future__ import annotations

from msgspec import Struct


class Flaky(Struct, frozen=True):
    """A case whose samples disagree: in `held` of `n` it did what it should."""

    target: str
    what: str
    """`checks` or `trigger`."""
    held: int
    n: int
    all_of: tuple[float, ...]
    """pass^k for k = 1, 2, …: the chance that so many samples all hold, without bias."""
    any_of: tuple[float, ...]
    """pass@k: the chance that at least one of so many holds."""


class Statistics(Struct, frozen=True):
    """Everything of that kind that one package has under one agent."""

    flaky: tuple[Flaky, ...] = ()
    unsettled: tuple[str, ...] = ()
    """One sentence for each gate that this suite cannot pass whatever it measures."""


NOTHING = Statistics()
