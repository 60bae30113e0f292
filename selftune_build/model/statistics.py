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


class Stolen(Struct, frozen=True):
    """A prompt for which other skills were used in place of its own: in `n` samples, and which in how many of them."""

    target: str
    n: int
    by: dict[str, int]


class Routing(Struct, frozen=True):
    """Which skills the prompts of a package went to, in samples of its cases that say it should trigger: a line of the matrix."""

    samples: int
    own: int
    others: dict[str, int]
    """Skill that was used while its own was not → samples."""
    none: int
    """No skill was used at all."""
    unknown: int
    """Its own was not used, and the sample is not in this store."""
    stolen: tuple[Stolen, ...] = ()


class Effort(Struct, frozen=True):
    """Means over samples; None where the agent does not tell."""

    samples: int
    input_tokens: float | None = None
    output_tokens: float | None = None
    cost_usd: float | None = None
    turns: float | None = None
    tool_calls: float | None = None
    seconds: float | None = None


class Efficiency(Struct, frozen=True):
    """What the same cases take with and without the skill: each case counts the same, whatever its number of samples."""

    cases: int
    with_skill: Effort
    without_skill: Effort


class Body(Struct, frozen=True):
    """Deterministic measures of the text of a skill; all but the sizes are shares from 0 to 1."""

    description_tokens: int
    body_tokens: int
    reference_tokens: int
    """What is loaded only where it is read: staged text files beside SKILL.md."""
    disclosure: float
    """Share of all text that is not loaded with every use."""
    links: float
    """Share of the files that the body points to which are there; 1 where it points to none."""
    reached: float
    """Share of the staged references and scripts that the body leads to, directly or through another file."""
    covered: float
    """Share of the prompts that should trigger which have a word of four letters or more in common with name or description."""


class Compared(Struct, frozen=True):
    """One question put to the same cases then and now; low to high is the confidence sequence of the mean difference."""

    what: str
    """`checks` or `trigger`."""
    shown: str
    """`worse`, `not-worse` (by the margin) or `nothing`."""
    difference: float
    low: float
    high: float
    cases: int
    now: int
    """Samples of all these cases."""
    then: int


class Change(Struct, frozen=True):
    """A case that held in another share of its samples than then."""

    target: str
    what: str
    held_now: int
    n_now: int
    held_then: int
    n_then: int


class Against(Struct, frozen=True):
    """The comparison with the lock of a revision, by the counts of both locks alone."""

    revision: str
    commit: str
    margin: float
    compared: tuple[Compared, ...] = ()
    changes: tuple[Change, ...] = ()
    left_out: tuple[str, ...] = ()
    """Cases that are not the same as then, or have no evidence on one side."""
    remark: str = ""
    """What has to be known to read it, or why there is nothing to compare with."""
    unchanged: bool = False
    """Whether every case has the very evidence that it had then, so that nothing can be worse."""
    fetch: str = ""
    """What brings the revision into this clone, where it is not in it."""


class Statistics(Struct, frozen=True):
    """Everything of that kind that one package has under one agent."""

    flaky: tuple[Flaky, ...] = ()
    unsettled: tuple[str, ...] = ()
    """One sentence for each gate that this suite cannot pass whatever it measures."""
    routing: Routing | None = None
    """None where no case says that the skill should trigger, or the agent does not tell."""
    efficiency: Efficiency | None = None
    """Only in a detailed report, and where both arms have samples in this store."""
    body: Body | None = None
    against: Against | None = None


NOTHING = Statistics()
