"""Draft, then criticise: the two questions behind everything that a model writes for review."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct

from selftune_build.engine.paying.completing import Completer, Completion
from selftune_build.errors import UndecidedError
from selftune_build.fence import cut
from selftune_build.limits import DRAFTED_CASES, DRAFTED_REASON_CHARACTERS
from selftune_build.scaffold.drafting.briefing import data
from selftune_build.scaffold.drafting.drafts import Rejection
from selftune_build.scaffold.drafting.phrasing import printable

QUESTIONS = 2

_Item = TypeVar("_Item")


class Opinion(Struct, frozen=True):
    """What the critique says of one draft."""

    keep: bool
    reason: str


class Sieve:
    """Remembers what was rejected and why, in words that can be shown."""

    def __init__(self) -> None:
        self.rejected: list[Rejection] = []

    def reject(self, shown: str, kind: str, reason: str) -> None:
        """One draft is none, for this reason."""
        text, why = printable(cut(shown, DRAFTED_REASON_CHARACTERS)), printable(cut(reason, DRAFTED_REASON_CHARACTERS))
        self.rejected.append(Rejection(text, kind, why))


class TwoQuestions(Struct, Generic[_Item]):
    """What is asked, and what is certain without asking."""

    draft: Completion
    read: Callable[[dict[str, Any]], Sequence[_Item]]
    """The drafts in a valid answer."""
    sift: Callable[[Sequence[_Item], Sieve], list[_Item]]
    """Those that are worth a critique; must give the same for the same drafts."""
    critique: Callable[[Sequence[_Item]], Completion]
    """Its answer fits `CRITIQUE_SCHEMA`."""
    shown: Callable[[_Item], tuple[str, str]]
    """One draft in words, and its kind."""

    def ask(self, completer: Completer, sieve: Sieve) -> list[_Item]:
        """The drafts that the critique keeps; it keeps none that it does not name.

        Raises UndecidedError where the agent gives no valid answer, StoreError where one cannot be kept.
        """
        sifted = self.sift(completer.ask(self.draft, self.read), sieve)
        if not sifted:
            raise UndecidedError(_nothing(sieve), code="answer-invalid", hint="another --seed, --model or --agent asks anew")
        return self._kept(sifted, completer.ask(self.critique(sifted), opinions), sieve)

    def missing(self, completer: Completer) -> int:
        """How many of the questions have no answer in the store; the second depends on the answer to the first. Asks nobody."""
        try:
            drafts = completer.known(self.draft, self.read)
            if drafts is None:
                return QUESTIONS
            sifted = self.sift(drafts, Sieve())
            return int(bool(sifted) and completer.known(self.critique(sifted), opinions) is None)
        except UndecidedError:  # answered, and never what was asked: nobody will be asked again
            return 0

    def _kept(self, sifted: Sequence[_Item], said: Mapping[int, Opinion], sieve: Sieve) -> list[_Item]:
        kept = []
        for number, each in enumerate(sifted):
            opinion = said.get(number)
            if opinion is not None and opinion.keep:
                kept.append(each)
            else:
                reason = "the critique says nothing about it" if opinion is None else f"the critique: {opinion.reason}"
                sieve.reject(*self.shown(each), reason)
        return kept


def opinions(answer: dict[str, Any]) -> dict[int, Opinion]:
    """What is said of each number; where something is said twice, whoever rejects is believed."""
    said: dict[int, Opinion] = {}
    for verdict in answer["verdicts"]:
        if verdict["number"] not in said or not verdict["keep"]:
            said[verdict["number"]] = Opinion(verdict["keep"], verdict["reason"])
    return said


def numbered(drafts: Iterable[Mapping[str, Any]]) -> str:
    """The drafts as data for the critique."""
    listed = [{"number": number, **each} for number, each in enumerate(drafts)]
    return data("the drafts", json.dumps(listed, indent=1, ensure_ascii=False))


CRITIQUE_ANSWER = 'Answer with JSON alone: {"verdicts": [{"number": …, "keep": true or false, "reason": one sentence}, …]}'
CRITIQUE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["verdicts"],
    "properties": {
        "verdicts": {
            "type": "array",
            "maxItems": DRAFTED_CASES,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["number", "keep", "reason"],
                "properties": {"number": {"type": "integer"}, "keep": {"type": "boolean"}, "reason": {"type": "string"}},
            },
        }
    },
}


def _nothing(sieve: Sieve) -> str:
    first = sieve.rejected[0].reason if sieve.rejected else "there was none"
    return f"of {len(sieve.rejected)} drafts none can be used: {first}"
