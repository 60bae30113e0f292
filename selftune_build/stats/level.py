"""The level of a test: how often it may be wrong."""

from __future__ import annotations

from decimal import Decimal

ROUNDING = 1e-9
"""Relative slack in comparisons: a probability that is exactly the level must not miss it by the last bits of a float."""


def level(confidence: float) -> float:
    """1 - confidence, subtracted in decimal so that 0.95 gives 0.05. Raises ValueError outside the open interval 0..1."""
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence!r}")
    return float(1 - Decimal(repr(float(confidence))))


def shown(probability: float, confidence: float) -> bool:
    """Whether a probability under the null hypothesis is small enough to reject it."""
    return probability <= level(confidence) * (1.0 + ROUNDING)
