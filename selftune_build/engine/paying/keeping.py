"""What came back is made durable first, then looked at, then archived as what it is (DESIGN section 9)."""

from __future__ import annotations

import threading
from collections.abc import Callable

from msgspec import Struct

from selftune_build.agents.protocol import AgentFailure, Traits
from selftune_build.agents.staging import Staging
from selftune_build.engine.judging.evidence import Evidence
from selftune_build.engine.paying.asking import Ask, Ended
from selftune_build.engine.paying.budget import Purse
from selftune_build.engine.paying.slots import Slots
from selftune_build.engine.paying.trying import Enter
from selftune_build.model.case import Arm
from selftune_build.model.sample import ErrorKind, FileChange, Reply, Usage
from selftune_build.stages.row import RowSpec
from selftune_build.store.pool import Pool
from selftune_build.store.wip import Call

_TURNED_AWAY = frozenset((ErrorKind.UNAVAILABLE, ErrorKind.AUTH, ErrorKind.RATE_LIMIT))


Attempt = Callable[[RowSpec, int, "Means", Enter], None]
"""Makes one call at the sample of this index, after it has entered, and keeps what comes. Raises AgentFailure, the attempt then
kept as such, and StoreError."""


class Means(Struct, frozen=True):
    """What a sampler works with; `cancel` ends children, `stop` only starts nothing new."""

    evidence: Evidence
    ask: Ask
    traits: Traits
    purse: Purse
    stop: threading.Event
    cancel: threading.Event
    waiting: Callable[[str], None]
    agent_name: str
    first: int = 0
    """Index of the first sample of a cohort."""
    pool: Pool | None = None
    """What the service puts up with; None for what asks none."""
    slots: Slots | None = None
    """Who may ask now; None where one thread asks."""
    attempt: Attempt | None = None
    """Who makes the calls and keeps what comes; None: this process."""

    @property
    def durable(self) -> bool:
        """Whether what is written must survive a power cut: what was free can be had again."""
        return not self.traits.free


def is_whole(spec: RowSpec, raw: bytes, means: Means) -> bool:
    """Whether what an agent wrote before it or its asker was ended is its whole answer, or its whole word that it has none.

    Never for a script: what it printed is not all it says, and how it would have ended nobody knows. Nor for an agent that
    places what it reads while it works: which files that were went with its process.
    """
    if spec.arm is Arm.SCRIPT or means.traits.lazy:
        return False
    try:
        means.evidence.parse(spec, raw)
    except Exception as error:
        return reports(error)
    return True


def reports(error: Exception) -> bool:
    """Whether what reading an answer came to is the agent's whole word that it has none; a reader that broke has not seen it."""
    return isinstance(error, AgentFailure) and error.kind is ErrorKind.REPORTED


def keep(spec: RowSpec, call: Call, stage: Staging | None, ended: Ended, milliseconds: int, means: Means) -> None:
    """Archive what came back as the sample or the attempt that it is; `stage` is None where its folder is gone.

    Raises AgentFailure for an attempt, and StoreError.
    """
    call.complete()
    cost = plain(means.evidence.billed(spec, call.raw()))
    try:
        reply = means.evidence.parse(spec, call.raw())
        touched, files = _left_nothing(spec, reply) if stage is None else (stage.touched(), stage.changes())
    except AgentFailure as failure:
        call.fail(failure.kind.value, failure.message, cost)
        raise
    call.commit(
        touched=touched, files=files, exit_status=ended.exit_status, stderr=ended.stderr, cost=cost, seconds_ms=milliseconds
    )


def charged(usage: Usage | None, failure: AgentFailure) -> Usage | None:
    """What a call that failed has cost: nothing where it was turned away before anybody worked on it."""
    return Usage() if usage is None and failure.kind in _TURNED_AWAY else usage


def _left_nothing(spec: RowSpec, reply: Reply) -> tuple[frozenset[str], tuple[FileChange, ...]]:
    """What an answer stands for whose folder is gone: an agent that says that it called no tool has left no file; as what it read
    counts everything. Raises AgentFailure where it called one, or does not say."""
    if reply.tool_calls != ():
        raise AgentFailure(ErrorKind.CRASH, "the answer is here, the folder it was given in is gone")
    return frozenset(f"{name}:*" for name in spec.staged.packages), ()


def plain(usage: Usage | None) -> dict[str, object] | None:
    """What an archive says about the cost."""
    if usage is None:
        return None
    cost: dict[str, object] = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    return {**cost, "unpriced": True} if usage.unpriced else {**cost, "cost_usd": usage.cost_usd}
