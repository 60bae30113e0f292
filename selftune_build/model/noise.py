"""What an A/A run measured: the same bytes in both arms, so every difference is noise."""

from __future__ import annotations

from msgspec import Struct


class Firing(Struct, frozen=True):
    """How often one gate or comparison told two groups of samples of the same bytes apart; low and high are a 95 % interval."""

    id: str
    fired: int
    n: int
    low: float
    high: float
    again: float
    """The same over many other ways to split the same samples into two groups; says nothing about other samples."""


class PackageNoise(Struct, frozen=True):
    """One package under one agent: each of so many cases has `samples` samples in either arm."""

    name: str
    path: str
    agent: str
    origin: str
    cases: int
    samples: int
    left_out: tuple[str, ...] = ()
    """Cases without enough samples in the store."""
    firings: tuple[Firing, ...] = ()
    remark: str = ""
    """Why there is nothing to measure, where that is so."""


class Noise(Struct, frozen=True):
    """One invocation. `gates` and `comparisons` sum over all packages up what was sampled, once each."""

    packages: tuple[PackageNoise, ...]
    gates: Firing
    comparisons: Firing
    agent_calls: int
    cost_usd: str
    exit_code: int
    problems: tuple[str, ...] = ()
