"""The check that a script of the author scores: it prints a number from 0 to 1, and that is at least what is asked."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from msgspec import Struct

from selftune_build.checks.command import end_of
from selftune_build.checks.context import CheckContext, CommandEnd, decided, not_measured
from selftune_build.limits import CHECK_SCORE_CHARACTERS
from selftune_build.model.case import Check
from selftune_build.model.sample import Transcript
from selftune_build.model.verdict import CheckResult

_REASONS = ("reason", "evidence", "message", "details")


class Score(Struct, frozen=True):
    """What a script says: the score, and the reason where it gives one."""

    value: Decimal
    reason: str = ""


def judge(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether the script's score is at least `min`. It runs as the command of a `command` check does.

    Not measured where it does not end with status 0 or prints no score: that is the script's fault, not the skill's.
    """
    end = end_of(check, transcript, context)
    if not isinstance(end, CommandEnd):
        return end
    if end.exit_status != 0:
        return not_measured(f"the script ended with exit status {end.exit_status}")
    score = score_in(end.stdout)
    if score is None:
        return not_measured("the script prints no score: a JSON number from 0 to 1, or an object with one under `score`")
    least = Decimal(check.params["min"])
    reason = f": {score.reason}" if score.reason else ""
    return decided(score.value >= least, f"score {score.value:f}, at least {least:f} is asked{reason}")


def score_in(stdout: str) -> Score | None:
    """The score that stdout is as a whole, or that its last line is; None where neither is one."""
    whole = stdout.strip()[:CHECK_SCORE_CHARACTERS]
    return _score(whole) or _score(whole.rpartition("\n")[2])


def _score(text: str) -> Score | None:
    try:
        data = json.loads(text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_once)
    except (ValueError, ArithmeticError, RecursionError):
        return None
    value = data.get("score") if isinstance(data, dict) else data
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= 1:
        return None
    reasons = (data.get(name) for name in _REASONS) if isinstance(data, dict) else ()
    return Score(Decimal(value), next((reason for reason in reasons if isinstance(reason, str)), ""))


def _no_number(token: str) -> None:
    raise ValueError(token)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuses a key that stands twice: which score would count?"""
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)
