"""Whether a sibling beside a skill changes what comes of the skill's own cases: pure functions over paired results."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction

from msgspec import Struct

from selftune_build.stats.bounds import UNDECIDED, Bounds, exactly
from selftune_build.stats.lift import Pair, lift_interval, measured_lift


class Harmony(StrEnum):
    """What is known of two skills side by side."""

    CONFLICT = "conflict"
    """More cases got worse than chance explains."""
    SUSPECTED = "suspected"
    """Some cases got worse; too few to show that prompts like these do."""
    NONE_SEEN = "none-seen"
    UNKNOWN = "unknown"
    """No case was measured both ways."""


class Shift(Struct, frozen=True):
    """One case: the share of its samples that held without the sibling and with it, None where that is not known."""

    case: str
    prompt: str
    alone: Fraction | None
    beside: Fraction | None
    sibling_used: Fraction | None = None
    """In which share of the samples the sibling was activated."""

    @property
    def worse(self) -> bool:
        """Whether fewer samples held with the sibling beside."""
        return self.alone is not None and self.beside is not None and self.beside < self.alone

    @property
    def better(self) -> bool:
        """Whether more samples held with the sibling beside."""
        return self.alone is not None and self.beside is not None and self.beside > self.alone


class Composition(Struct, frozen=True):
    """A skill and one sibling: every case of the skill, how they changed together, and between which bounds that lies."""

    skill: str
    sibling: str
    shifts: tuple[Shift, ...]
    difference: Fraction | None
    """Mean change of the measured cases."""
    low: float
    high: float
    harmony: Harmony


def composition(skill: str, sibling: str, shifts: Sequence[Shift], confidence: float) -> Composition:
    """What the cases together say, by the exact paired test that decides lift, one-sided at each end."""
    pairs = [Pair(with_skill=_bounds(shift.beside), without_skill=_bounds(shift.alone)) for shift in shifts]
    low, high = lift_interval(pairs, confidence) if pairs else (-1.0, 1.0)
    return Composition(skill, sibling, tuple(shifts), measured_lift(pairs), low, high, _harmony(shifts, high))


def _harmony(shifts: Sequence[Shift], high: float) -> Harmony:
    if not any(shift.alone is not None and shift.beside is not None for shift in shifts):
        return Harmony.UNKNOWN
    if high < 0:
        return Harmony.CONFLICT
    return Harmony.SUSPECTED if any(shift.worse for shift in shifts) else Harmony.NONE_SEEN


def _bounds(share: Fraction | None) -> Bounds:
    return UNDECIDED if share is None else exactly(share)
