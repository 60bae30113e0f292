"""What gates decide and what metrics measured: values, never exceptions."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    """`inconclusive` is a value of its own and never a pass."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Metric(Struct, frozen=True):
    """A measured value with its interval; n is the number of cases."""

    value: float
    low: float
    high: float
    n: int


class GateResult(Struct, frozen=True):
    """The verdict of one gate, the sentence that explains it, and what to do where it could not be decided."""

    id: str
    verdict: Verdict
    message: str
    required: bool = True
    advice: str = ""
    fleeting: bool = False
    """Decided from more than tree and evidence: it stands in no lock, and the next run asks again."""
    code: str = ""
    """`PLUGIN_MISSING` or `PLUGIN_FAILED` where it could not be asked; else empty."""
    accepted: tuple[str, ...] = ()
    """Cases that a human has accepted as they are, which it therefore left out."""


class Score(Struct, frozen=True):
    """How the checks of one sample add up: the weight of those that hold, of those that were not measured, and of all."""

    held: int
    unknown: int
    total: int


class CheckResult(Struct, frozen=True):
    """One check on one sample; `held` None means not measured. `evidence` is one line, already free of control characters."""

    held: bool | None
    evidence: str
    votes: int = 0
    """Votes of a judge behind it; none where no judge is asked."""
    agreeing: int = 0
    """Votes on the side of the majority."""
