"""What the checks of a sample are called and how they add up by weight. Whether the sample passes is another question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from selftune_build.fingerprint.digest import digest_json
from selftune_build.model.case import Check
from selftune_build.model.verdict import CheckResult, Score
from selftune_build.reading.evals.content import check_data

_DIGITS = 8


def check_ids(checks: Sequence[Check]) -> tuple[str, ...]:
    """An id for each check, its own or one made of what it says, so that it stays when others are put before it.

    Those that say the same are told apart by their number.
    """
    seen: Counter[str] = Counter(check.id for check in checks if check.id)
    return tuple(check.id or _made(check, seen) for check in checks)


def _made(check: Check, seen: Counter[str]) -> str:
    name = f"{check.kind}-{digest_json(check_data(check)).removeprefix('sha256:')[:_DIGITS]}"
    seen[name] += 1
    return name if seen[name] == 1 else f"{name}-{seen[name]}"


def score(judged: Iterable[tuple[Check, CheckResult]]) -> Score:
    """How the checks of one sample add up by weight."""
    held = unknown = total = 0
    for check, result in judged:
        total += check.weight
        held += check.weight if result.held else 0
        unknown += check.weight if result.held is None else 0
    return Score(held, unknown, total)
