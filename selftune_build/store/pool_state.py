"""What everybody who asks one service has to know of it: `pools/<pool>/state.json` (docs/formats/pools.md).

Additive increase, multiplicative decrease as in TCP (RFC 5681), of the number of calls at once; pauses grow exponentially with
jitter. Moments are milliseconds since 1970. Pure: whoever reads and writes the file is `store.pool`.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from selftune_build.limits import POOL_DEADLINE_S, POOL_FORGET_S, POOL_PAUSE_MAX_S, POOL_PAUSE_S

FORMAT = "selftune.pool/1"
_MINUTE_MS = 60_000
_SKEW_MS = 2_000
"""What was noted so little ahead of the clock is of today: clocks are corrected by that much all the time."""
_DOUBLINGS = 32


class PoolState(Struct, frozen=True, forbid_unknown_fields=True):
    """What was learned by asking. The default is what is known of a service that never refused anybody."""

    format: str = FORMAT
    noted_ms: int = 0
    """When the last refusal was noted: what was sent before and is refused now says the same once more."""
    not_before_ms: int = 0
    """Nobody asks before this."""
    refusals: int = 0
    """In a row, without an answer in between."""
    width: int | None = None
    """Calls at once; None: as many as anybody likes."""
    answers: int = 0
    """Since the width was last changed."""
    next_ms: int = 0
    """Of a pool with calls per minute: when the next may be started."""

    def wait_ms(self, now_ms: int) -> int:
        """How long nobody may ask."""
        return max(0, self.not_before_ms - now_ms)

    def turn_ms(self, now_ms: int) -> int:
        """How long it is until the next call of those per minute; one that is further away than a minute was never meant."""
        wait = self.next_ms - now_ms
        return wait if 0 < wait <= _MINUTE_MS else 0


NOTHING = PoolState()


def decoded(content: bytes | None, now_ms: int) -> PoolState:
    """The state in a file; what nobody can have meant (torn, damaged, of a clock that went otherwise) is nothing."""
    try:
        state = msgspec.json.decode(content or b"", type=PoolState)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return NOTHING
    numbers = (state.noted_ms, state.not_before_ms, state.refusals, state.answers, state.next_ms)
    if state.format != FORMAT or min(numbers) < 0 or (state.width is not None and state.width < 1):
        return NOTHING
    return of_today(state, now_ms)


def of_today(state: PoolState, now_ms: int) -> PoolState:
    """A state without the refusals that say nothing any more."""
    return state if _is_of_today(state, now_ms) else PoolState(next_ms=state.next_ms)


def _is_of_today(state: PoolState, now_ms: int) -> bool:
    """Whether a refusal still says something: not noted in the future, no pause longer than any, and not long ago."""
    if state.noted_ms > now_ms + _SKEW_MS or state.not_before_ms > state.noted_ms + POOL_DEADLINE_S * 1000:
        return False
    return now_ms < max(state.noted_ms + POOL_FORGET_S * 1000, state.not_before_ms + POOL_FORGET_S * 1000)


def encoded(state: PoolState) -> bytes:
    """The content of the file."""
    return msgspec.json.encode(state) + b"\n"


def refused(
    state: PoolState, now_ms: int, began_ms: int, at_once: int, jitter: float, retry_after_s: float | None = None
) -> PoolState:
    """After a call that began at `began_ms`, one of `at_once`, was told to come later; `jitter` is a draw from [0, 1).

    Calls that were on their way when the service began to refuse tell of one and the same refusal.
    """
    known = began_ms <= state.noted_ms
    refusals = state.refusals + (not known)
    share = 0.5 + jitter / 2
    if retry_after_s is None:
        pause_s = min(POOL_PAUSE_S * 2 ** min(refusals - 1, _DOUBLINGS), POOL_PAUSE_MAX_S) * share
    else:
        pause_s = min(max(POOL_PAUSE_S * share, retry_after_s), POOL_DEADLINE_S)
    until_ms = max(state.not_before_ms, now_ms + round(pause_s * 1000))
    if known:
        return replace(state, not_before_ms=min(until_ms, state.noted_ms + POOL_DEADLINE_S * 1000))
    width = max(1, min(at_once, state.width or at_once) // 2)
    return replace(state, noted_ms=now_ms, not_before_ms=until_ms, refusals=refusals, width=width, answers=0)


def answered(state: PoolState) -> PoolState:
    """After an answer: one more call at once for every round of them that was answered."""
    if state.width is None:
        return state
    if state.answers + 1 < state.width:
        return replace(state, refusals=0, answers=state.answers + 1)
    return replace(state, refusals=0, answers=0, width=state.width + 1)


def started(state: PoolState, now_ms: int, per_minute: int) -> PoolState:
    """After a call was let go: the next one as much later as evenly spread calls are apart."""
    return replace(state, next_ms=now_ms + -(-_MINUTE_MS // per_minute))
