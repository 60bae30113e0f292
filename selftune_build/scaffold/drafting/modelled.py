"""Eval cases that a model drafts and criticises: two questions, both kept, and what is certain is checked without it."""

from __future__ import annotations

from collections.abc import Sequence

from selftune_build.engine.paying.completing import Completer
from selftune_build.scaffold.drafting.drafts import SEED, Drafting, Kind, drafting
from selftune_build.scaffold.drafting.generation import Situation
from selftune_build.scaffold.drafting.questions import Proposal, critique_question, draft_question, offered, proposals, quotas
from selftune_build.scaffold.drafting.sifting import Sifting
from selftune_build.scaffold.drafting.two_questions import Sieve, TwoQuestions

MOST = 15
"""Cases on each side, unless the user names another number."""


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
        sieve = Sieve()
        kept = self._questions(situation).ask(self._completer, sieve)
        chosen = _sifting(situation, sieve).chosen(kept, self._wanted(situation), situation.taken)
        return drafting(chosen, situation.existing, sieve.rejected)

    def missing(self, situation: Situation) -> int:
        """How many questions have no answer in the store yet. Asks nobody."""
        return self._questions(situation).missing(self._completer)

    def _questions(self, situation: Situation) -> TwoQuestions[Proposal]:
        wanted = self._wanted(situation)

        def sift(drafts: Sequence[Proposal], sieve: Sieve) -> list[Proposal]:
            return _sifting(situation, sieve).sift(drafts, wanted)

        return TwoQuestions(
            draft=draft_question(situation, wanted, self._seed),
            read=proposals,
            sift=sift,
            critique=lambda sifted: critique_question(situation, sifted, self._seed),
            shown=lambda each: (each.prompt, each.kind),
        )

    def _wanted(self, situation: Situation) -> dict[Kind, int]:
        return quotas(self._most, siblings=bool(situation.siblings), negatives=self._negatives)


def _sifting(situation: Situation, sieve: Sieve) -> Sifting:
    return Sifting(situation.package, offered(situation.siblings), situation.existing, sieve)
