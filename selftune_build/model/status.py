"""How far a package is on its way to being published."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from selftune_build.model.verdict import Verdict


class Readiness(StrEnum):
    """The first step that is left, in this order; the predecessor's names, and three steps that it did not know."""

    BLOCKED_SPEC_VALIDATION = "blocked_spec_validation"
    NEEDS_PACKAGE_RESOURCES = "needs_package_resources"
    NEEDS_EVALS = "needs_evals"
    NEEDS_UNIT_TESTS = "needs_unit_tests"
    NEEDS_ROUTING_REPLAY = "needs_routing_replay"
    NEEDS_BASELINE = "needs_baseline"
    NEEDS_VERIFICATION = "needs_verification"
    """Every row holds, and the lock is not the one that follows from them."""
    NEEDS_PASSING_GATES = "needs_passing_gates"
    """Everything is measured, and a required gate does not pass."""
    NEEDS_LIVE_EVIDENCE = "needs_live_evidence"
    """Everything passes, by evidence of a kind that the policy does not let out."""
    READY_TO_PUBLISH = "ready_to_publish"


class PackageStatus(Struct, frozen=True):
    """One package under one agent, judged by its tree and its lock."""

    name: str
    path: str
    agent: str
    origin: str
    state: Readiness
    summary: str
    next_command: str
    verdict: Verdict
    oldest: str | None = None
    """When the oldest sample that counts was recorded, ISO 8601 in UTC; None where this store has none of them."""
    newest: str | None = None
    asked: int = 0
    """Rows that an agent answers."""
    answered: int = 0
    """Those of them that have evidence of today."""
    models: tuple[str, ...] = ()
    """Models that served the samples that count, as far as they tell; more than one is drift."""
