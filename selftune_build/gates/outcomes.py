"""What the rows of a lock say about each case."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import lru_cache

from msgspec import Struct, UnsetType

from selftune_build.model.case import Arm, Case, Check
from selftune_build.model.lock import Row
from selftune_build.stats.bounds import UNDECIDED, Bounds

Rows = Mapping[str, Mapping[str, Row]]
"""Case id → arm → row, as in the lock."""
Left = Mapping[str, Mapping[str, int]]
"""Case id → arm → samples still to be taken."""
NONE_LEFT: Left = {}


class CaseOutcome(Struct, frozen=True):
    """The means of one case; None where it does not measure that at all."""

    id: str
    is_script: bool
    should_trigger: bool | None
    behaved: Bounds | None
    """In which share of the samples the skill triggered, or for a case that says it should not, did not."""
    passed: Bounds | None
    """In which share all checks held: with the skill, or of the script."""
    baseline: Bounds | None
    """In which share they held without the skill; only for cases with a check on the outcome."""
    missing: tuple[str, ...] = ()
    """Arms that should have a row and have none."""


def outcomes(
    cases: Iterable[Case], rows: Rows, is_outcome: Callable[[Check], bool], left: Left = NONE_LEFT
) -> tuple[CaseOutcome, ...]:
    """One outcome per case, in order. No row, and a row that does not tell, leave the case undecided, never failed or passed.

    `is_outcome` says whether a check judges the outcome rather than the use of the skill. With `left`, the bounds hold
    whatever those samples bring.
    """
    return tuple(_outcome(case, rows.get(case.id, {}), is_outcome, left.get(case.id, {})) for case in cases)


def _outcome(case: Case, rows: Mapping[str, Row], is_outcome: Callable[[Check], bool], left: Mapping[str, int]) -> CaseOutcome:
    if case.is_script:
        row = rows.get(Arm.SCRIPT)
        passed = _mean(row, row.passed if row else None, left.get(Arm.SCRIPT, 0))
        return CaseOutcome(case.id, True, None, None, passed, None, () if row else (Arm.SCRIPT.value,))
    compared = any(is_outcome(check) for check in case.checks) and not any(map(_handicaps, case.checks))
    row, without = rows.get(Arm.WITH_SKILL), rows.get(Arm.WITHOUT_SKILL)
    more = left.get(Arm.WITH_SKILL, 0)
    return CaseOutcome(
        case.id,
        False,
        case.should_trigger,
        _behaved(case.should_trigger, row, more),
        _mean(row, row.passed if row else None, more) if _checked(case) else None,
        _mean(without, without.passed if without else None, left.get(Arm.WITHOUT_SKILL, 0)) if compared else None,
        _missing(case, row, without, compared),
    )


def _checked(case: Case) -> bool:
    return any(check.is_for(Arm.WITH_SKILL) for check in case.checks)


def _handicaps(check: Check) -> bool:
    """Whether only the arm without the skill has to meet it: a lift over such a case would be one that its author made."""
    return check.is_for(Arm.WITHOUT_SKILL) and not check.is_for(Arm.WITH_SKILL)


def _missing(case: Case, row: Row | None, without: Row | None, compared: bool) -> tuple[str, ...]:
    measured = _checked(case) or case.should_trigger is not None
    with_skill = (Arm.WITH_SKILL.value,) if row is None and measured else ()
    return with_skill + ((Arm.WITHOUT_SKILL.value,) if without is None and compared else ())


def _behaved(should_trigger: bool | None, row: Row | None, left: int) -> Bounds | None:
    if should_trigger is None:
        return None
    triggered = row.triggered if row is not None else None
    if row is None or not isinstance(triggered, int) or should_trigger:
        return _mean(row, triggered, left)
    return _mean(row, row.n - triggered, left)


def _mean(row: Row | None, count: int | UnsetType | None, left: int) -> Bounds:
    """Mean over the samples of a row and those left; a count that no row of ours can hold tells nothing."""
    if row is None or not isinstance(count, int) or row.n < 1 or not 0 <= count <= row.n:
        return UNDECIDED
    return _share(count, row.n, left)


@lru_cache(maxsize=1024)  # a hundred thousand rows have a handful of counts
def _share(count: int, n: int, left: int) -> Bounds:
    low = Fraction(count, n + left)
    return Bounds(low, Fraction(count + left, n + left) if left else low)
