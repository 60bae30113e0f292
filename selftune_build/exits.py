"""The exit statuses (DESIGN 8.1), defined here alone. Standard library only: the program may need them before all else."""

from __future__ import annotations

TYPE_CHECKING = False  # as in `__main__`
if TYPE_CHECKING:
    from collections.abc import Iterable

VERIFIED, REFUSED, BAD_INPUT, UNDECIDED, STORE, BUG, INTERRUPTED = 0, 1, 2, 3, 4, 70, 130
"""Verified or done; decided: no; bad input or usage; could not decide; the store, a lock or a report; ours; by the user."""
_PRECEDENCE = (BUG, INTERRUPTED, STORE, BAD_INPUT, REFUSED, UNDECIDED, VERIFIED)


def worst(statuses: Iterable[int]) -> int:
    """The one that wins where several hold."""
    return min(statuses, key=_PRECEDENCE.index)
