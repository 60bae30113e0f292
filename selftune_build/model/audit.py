"""An audit: rows of the locks that were run again, and what the difference says."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from selftune_build.model.report import Problem, Spend


class Kind(StrEnum):
    """What a row counts: each kind is tested for itself."""

    TRIGGERED = "triggered-as-wanted"
    PASSED = "passed-with-the-skill"
    WITHOUT = "passed-without-the-skill"


class Claim(Struct, frozen=True):
    """One count of a row, turned so that more of it speaks for the package: as it is locked, and as it came out anew."""

    kind: Kind
    n: int
    locked: int
    fresh_n: int
    fresh: int
    exact: bool = False
    """Whoever answered gives the same answer each time, and so does what judged it: a difference is no chance."""
    block: bool = False
    """What judged the samples of one side was shared by them (votes of a judge on equal answers): only the row as a whole
    could as well be the other way round."""

    @property
    def differs(self) -> bool:
        """Whether the two are not the same share."""
        return self.locked * self.fresh_n != self.fresh * self.n


class KindResult(Struct, frozen=True):
    """All sampled counts of one kind together; `p`: how probable it is that an honest lock looks at least as good beside
    fresh samples."""

    kind: Kind
    rows: int
    n: int
    locked: int
    fresh_n: int
    fresh: int
    p: float


class Caught(Struct, frozen=True):
    """The chance that this draw refutes a lock of whose rows this share is invented: all held, where in truth none does."""

    invented: float
    chance: float


class AuditedRow(Struct, frozen=True):
    """One row of the draw."""

    target: str
    agent: str
    arm: str
    n: int
    """Samples that the lock counts."""
    fresh_n: int = 0
    """Samples that were taken anew."""
    claims: tuple[Claim, ...] = ()
    """Empty in a plan, and as long as samples are missing."""
    missing: str = ""
    """Why the row could not be compared, empty where it was."""
    note: str = ""
    """What else was noticed, and decides nothing."""


class AuditVerdict(StrEnum):
    """What an audit came to."""

    CONSISTENT = "consistent"
    """Nothing speaks against the lock."""
    REFUTED = "refuted"
    INCONCLUSIVE = "inconclusive"
    """Samples are missing, or there is nothing that could be compared."""
    REFUSED = "refused"
    """A lock does not even hold: nothing was run."""
    PLANNED = "planned"
    """A dry run."""


class Audit(Struct, frozen=True):
    """One invocation of `selftune audit`."""

    verdict: AuditVerdict
    exit_code: int
    nonce: str
    fraction: str
    """Decimal text."""
    alpha: float
    store: str = ""
    """The folder of the fresh samples: a store like any other."""
    population: int = 0
    """Rows that say how something came out."""
    rows: tuple[AuditedRow, ...] = ()
    """The draw, by rank."""
    kinds: tuple[KindResult, ...] = ()
    p: float | None = None
    """Over all kinds, corrected for their number; None where nothing was compared by chance."""
    caught: tuple[Caught, ...] = ()
    calls: int = 0
    """Samples that were missing when it began."""
    price: str | None = None
    simulated: bool = False
    """Some of the answers come from no model."""
    interrupted: bool = False
    spend: Spend = Spend()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
