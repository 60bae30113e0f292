"""The gate `not-worse`: no worse than at a revision of git."""

from __future__ import annotations

from collections.abc import Iterable

from selftune_build.plugins import Gate, hookimpl
from selftune_gate_regression.gate import GATE

__all__ = ["GATE", "selftune_gates"]


@hookimpl
def selftune_gates() -> Iterable[Gate]:
    """`not-worse`."""
    return [GATE]
