"""Which cases an improvement may look at, and which are kept back to judge it."""

from __future__ import annotations

from selftune_build.model.case import Case

TUNE = "tune"
"""Tag of a case that whoever improves the skill may read."""
HOLDOUT = "holdout"
"""Tag of a case that nobody who improves the skill may see. A tag is never part of a static key."""


def is_held_out(case: Case) -> bool:
    """Whether a case is kept back; a case without either tag is not."""
    return HOLDOUT in case.tags
