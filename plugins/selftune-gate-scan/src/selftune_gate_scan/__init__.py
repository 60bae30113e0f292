"""The gate `scan`: what an installed skill scanner finds in a package."""

from __future__ import annotations

from collections.abc import Iterable

from selftune_build.plugins import Gate, hookimpl
from selftune_gate_scan.gate import GATE

__all__ = ["GATE", "selftune_gates"]


@hookimpl
def selftune_gates() -> Iterable[Gate]:
    """`scan`."""
    return [GATE]
