"""Eval cases that a model drafts and criticises: two questions, both kept, and what is certain is checked without it."""

from __future__ import annotations

from selftune_build.engine.completing import Completer
from selftune_build.errors import UndecidedError
from selftune_build.scaffold.draft_questions import (
    Proposal,
    critique_question,
    draft_question,
    offered,
    opinions,
    proposals,
    quotas,
)
from selftune_build.scaffold.drafts import SEED, Drafting, Kind, drafting
from selftune_build.scaffold.generation import Situation
from selftune_build.scaffold.sifting import Sieve

MOST = 15
"""Cases on each side, unless the user names another number."""
QUESTIONS = 2
"""Draft and critique."""


class FromModel:
    """Drafts by asking one agent in the role `complete`."""

    def __init__(self, completer: Completer, seed: int = SEED, most: int | None = None, negatives: bool = True) -> None:
        self._completer = completer
        self._seed = seed
        self._most = MOST if most is None else most
        self._negatives = negatives

    def draft(self, situation: Situation) -> Drafting:
        """Cases that existing ones do not ask already, their ids other than those taken.

        Raises UndecidedError where the agent gives no valid answer, StoreError where one cannot be kept.
        """
        wanted = self._wanted(situation)
        sieve = _sieve(situation)
        drafts = self._completer.ask(draft_question(situation, wanted, self._seed), proposals)
        sifted = sieve.sift(drafts, wanted)
        if not sifted:
            raise UndecidedError(_nothing(sieve), code="answer-invalid", hint="another --seed, --model or --agent asks anew")
        said = self._completer.ask(critique_question(situation, sifted, self._seed), opinions)
        chosen = sieve.chosen(sieve.judged(sifted, said), wanted, situation.taken)
        return drafting(chosen, situation.existing, sieve.rejected)

    def missing(self, situation: Situation) -> int:
        """How many questions have no answer in the store yet; the second depends on the answer to the first. Asks nobody."""
        wanted = self._wanted(situation)
        drafts: tuple[Proposal, ...] | None = self._completer.known(draft_question(situation, wanted, self._seed), proposals)
        if drafts is None:
            return QUESTIONS
        sifted = _sieve(situation).sift(drafts, wanted)
        if not sifted:
            return 0
        return int(self._completer.known(critique_question(situation, sifted, self._seed), opinions) is None)

    def _wanted(self, situation: Situation) -> dict[Kind, int]:
        return quotas(self._most, siblings=bool(situation.siblings), negatives=self._negatives)


def _sieve(situation: Situation) -> Sieve:
    return Sieve(situation.package, offered(situation.siblings), situation.existing)


def _nothing(sieve: Sieve) -> str:
    first = sieve.rejected[0].reason if sieve.rejected else "there was none"
    return f"of {len(sieve.rejected)} prompts that were drafted none can be used: {first}"
