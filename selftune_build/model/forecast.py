"""What a build would do: which rows are settled and by what, which samples are missing and why, what they may cost."""

from __future__ import annotations

from msgspec import Struct

from selftune_build.model.report import Reason


class Cause(Struct, frozen=True):
    """One reason why rows of a stage have to run, and the cases it speaks of."""

    reason: Reason
    cases: tuple[str, ...]


class StageForecast(Struct, frozen=True):
    """One sampled stage in rows; `calls` are the samples that are missing, an agent's or runs of a script."""

    target: str
    rows: int
    by_lock: int
    by_store: int
    missing: int
    calls: int
    causes: tuple[Cause, ...] = ()
    judge_calls: int = 0
    """At most, for its rows alone: other rows may put the same questions."""
    by_remote: int = 0
    """Rows that rest on samples which a build would take from the remote first."""


class PackageForecast(Struct, frozen=True):
    """One package under one agent."""

    name: str
    path: str
    agent: str
    origin: str
    stages: tuple[StageForecast, ...]
    command: str | None
    """The command that runs it; None where every row is settled."""
    unsettled: tuple[str, ...] = ()
    """One sentence for each gate that the suite cannot pass whatever it measures; only where something has to run."""
    warnings: tuple[str, ...] = ()
    """What of the lock cannot be believed, or speaks of cases that are gone."""


class Expense(Struct, frozen=True):
    """Calls to one agent, each counted once however many rows share it. Costs are decimal strings in USD.

    `low` to `high` holds what they will cost in about 95 of 100 builds, if they cost what the `seen` answers cost; None where
    fewer than two are known.
    """

    agent: str
    calls: int
    free: bool
    expected: str | None = None
    low: str | None = None
    high: str | None = None
    seen: int = 0


class Forecast(Struct, frozen=True):
    """The plan of one invocation."""

    packages: tuple[PackageForecast, ...]
    expenses: tuple[Expense, ...]
    script_runs: int
    by_lock: int
    by_store: int
    by_remote: int = 0
