"""The states of a target and the one function that changes them (drawn in docs/architecture.md)."""

from __future__ import annotations

from enum import StrEnum

from selftune_build.model.report import TargetState


class Event(StrEnum):
    """What can happen to a target while an invocation runs."""

    ANSWERED = "answered"
    """Everything it needed is there now."""
    REFUSED = "refused"
    """It was decided, and the answer is no."""
    BROKE = "broke"
    """An infrastructure error, or bad input: no evidence."""
    HELD_BACK = "held-back"
    """Something it needs has failed, so nothing may be spent on it."""
    STOPPED = "stopped"
    """Interrupted, out of budget, or not allowed to run."""


_TRANSITIONS: dict[tuple[TargetState, Event], TargetState] = {
    (TargetState.STALE, Event.ANSWERED): TargetState.BUILT,
    (TargetState.STALE, Event.REFUSED): TargetState.FAILED,
    (TargetState.STALE, Event.BROKE): TargetState.FAILED,
    (TargetState.STALE, Event.HELD_BACK): TargetState.BLOCKED,
    (TargetState.STALE, Event.STOPPED): TargetState.SKIPPED,
    (TargetState.UP_TO_DATE, Event.REFUSED): TargetState.FAILED,
}


def advance(state: TargetState, event: Event) -> TargetState:
    """The state after an event. Raises ValueError for a transition that must not happen: a bug of ours."""
    try:
        return _TRANSITIONS[state, event]
    except KeyError:
        raise ValueError(f"a target that is {state} cannot be {event}") from None
