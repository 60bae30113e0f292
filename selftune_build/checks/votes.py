"""What a judge is asked, and how its votes become the result of a check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from selftune_build.escape import one_line
from selftune_build.limits import CHECK_EVIDENCE_CHARACTERS
from selftune_build.model.verdict import CheckResult

NO_JUDGE = "it needs a judge, and there is none: name one under `judge:` in selftune.yaml"

Vote = dict[str, Any]
"""One answer of a judge, as the schema of the question has it."""


class Asked(Struct, frozen=True):
    """One question: its words, which hold all there is to see, and the JSON schema that an answer has to match."""

    text: str
    schema: dict[str, Any]


class Votes(Struct, frozen=True):
    """The answers to one question; none, and the reason, where they are not all there."""

    given: tuple[Vote, ...] = ()
    missing: str = ""


Rule = Callable[[Asked], Votes]
"""Where the votes on a question come from."""


class Opinion(Struct, frozen=True):
    """What one vote says of the check."""

    holds: bool
    evidence: str


def by_vote(rule: Rule | None, questions: Sequence[Asked], opinion: Callable[[Sequence[Vote]], Opinion]) -> CheckResult:
    """What the majority says. Vote i on each of the `questions` together make one opinion.

    Not measured where there is no judge or a vote is missing: a majority of those that happen to be there is none.
    """
    if rule is None:
        return _not_measured(NO_JUDGE)
    answers = [rule(question) for question in questions]
    missing = next((votes.missing for votes in answers if votes.missing or not votes.given), None)
    if missing is not None:
        return _not_measured(missing)
    return _majority([opinion(votes) for votes in zip(*(votes.given for votes in answers), strict=True)])


def _majority(opinions: Sequence[Opinion]) -> CheckResult:
    holds = 2 * sum(opinion.holds for opinion in opinions) > len(opinions)
    side = [opinion.evidence for opinion in opinions if opinion.holds is holds]
    said = next((evidence for evidence in side if evidence.strip()), "no evidence given")
    share = f" ({len(side)} of {len(opinions)} votes)" if len(opinions) > 1 else ""
    result = CheckResult(holds, one_line(f"judge{share}: {said}", CHECK_EVIDENCE_CHARACTERS))
    return replace(result, votes=len(opinions), agreeing=len(side))


def _not_measured(why: str) -> CheckResult:
    return CheckResult(None, one_line(why, CHECK_EVIDENCE_CHARACTERS))
