"""What remains of the plan of an invocation that its budget has ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from msgspec.structs import replace

from selftune_build.engine.paying.budget import Purse, Purses
from selftune_build.engine.paying.scheduler import Question
from selftune_build.engine.paying.taken import TakenKind
from selftune_build.engine.telling.summary import Settled
from selftune_build.model.report import Spend


def with_left(spend: Spend, settled: Iterable[Settled], purses: Purses) -> Spend:
    """The spend with the calls that were planned and not allowed, and about what they cost."""
    each = list(settled)
    agents, judges = _left(question for one in each for question in one.ran.questions), _left(_rulings(each))
    if not agents + judges:
        return spend
    free = all(one.run.agent.traits.free for one in each)
    prices = [_price(0 if free else agents, purses.agents), _price(judges, purses.judges)]
    known = [price for price in prices if price is not None]
    usd = None if len(known) < len(prices) else f"{sum(known, Decimal(0)):.4f}"
    return replace(spend, left_calls=agents + judges, left_usd=usd)


def _rulings(settled: Iterable[Settled]) -> Iterator[Question]:
    return (question for one in settled for questions in one.ran.rulings.values() for question in questions)


def _left(questions: Iterable[Question]) -> int:
    """Calls that questions lack which the budget has ended; runs of one group share them."""
    ended = {id(each): each for each in questions if each.trouble is not None and each.trouble.kind is TakenKind.NO_BUDGET}
    return sum(each.missing for each in ended.values())


def _price(calls: int, purse: Purse) -> Decimal | None:
    if not calls:
        return Decimal(0)
    return calls * purse.each if purse.each else None
