"""What one invocation may spend, and what it has spent: every attempt counts, also one that brought no answer."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct

from selftune_build.engine.planning.price import smallest
from selftune_build.model.manifest import Budget
from selftune_build.model.sample import Usage


class Purse:
    """Counts calls and money over all threads of an invocation; refuses a call that would pass the limit.

    A call is held at the mean of what others have cost, from before it is sent until it is settled. Parts of a purse (`whole`)
    have prices of their own, and spend out of it.
    """

    def __init__(self, max_calls: int | None = None, max_cost: Decimal | None = None, whole: Purse | None = None) -> None:
        self._max_calls = max_calls
        self._max_cost = max_cost
        self._whole = whole
        self._guard = threading.Lock()
        self._known = Decimal(0)
        self._priced = 0
        self._open: list[Decimal] = []
        self._held = Decimal(0)
        """What calls that are on their way will cost, and what those did that told nothing, as far as anybody can know."""
        self.calls = 0
        self.cost = Decimal(0)
        """What calls said that they cost."""

    @property
    def left(self) -> tuple[int | None, Decimal | None]:
        """How many calls and how much money it still allows, None for any."""
        calls = None if self._max_calls is None else self._max_calls - self.calls
        return calls, None if self._max_cost is None else self._max_cost - self.cost - self._held

    @property
    def each(self) -> Decimal:
        """What one call costs by what is known, 0 where nothing is."""
        return self._known / self._priced if self._priced else Decimal(0)

    def expect(self, costs: Iterable[Decimal]) -> None:
        """Know what earlier calls have cost."""
        with self._guard:
            for cost in costs:
                self._learn(cost)

    def reserve(self) -> bool:
        """Count one call before it is sent; False where the budget is used up, and then nothing is counted."""
        with self._guard:
            price = self.each
        if not (self if self._whole is None else self._whole)._may_hold(price):
            return False
        with self._guard:
            self._open.append(price)
            if self._whole is not None:
                self.calls, self._held = self.calls + 1, self._held + price
        return True

    def settle(self, usage: Usage | None) -> None:
        """Add what a call turned out to cost; where its agent does not tell, what it was held at stays."""
        cost = None if usage is None or usage.unpriced else Decimal(usage.cost_usd)
        with self._guard:
            price = self._open.pop() if self._open else Decimal(0)
            if cost is not None:
                self._learn(cost)
        for purse in self._lineage:
            purse._settle(price, cost)

    def give_back(self) -> None:
        """A call was not sent after all."""
        with self._guard:
            price = self._open.pop()
        for purse in self._lineage:
            with purse._guard:
                purse.calls -= 1
                purse._held -= price

    @property
    def _lineage(self) -> tuple[Purse, ...]:
        return (self,) if self._whole is None else (self, self._whole)

    def _learn(self, cost: Decimal) -> None:
        """What was free, or turned away, tells nothing of what others will cost."""
        if cost:
            self._known += cost
            self._priced += 1

    def _may_hold(self, price: Decimal) -> bool:
        """Hold a price where the limits allow it; only a whole purse has any."""
        with self._guard:
            if self._max_calls is not None and self.calls >= self._max_calls:
                return False
            spent = self.cost + self._held
            if self._max_cost is not None and (spent >= self._max_cost or spent + price > self._max_cost):
                return False
            self.calls += 1
            self._held += price
            return True

    def _settle(self, price: Decimal, cost: Decimal | None) -> None:
        if cost is not None:
            with self._guard:
                self._held -= price
                self.cost += cost


class Purses(Struct, frozen=True):
    """One budget, and what of it went to agents and to judges."""

    whole: Purse
    agents: Purse
    judges: Purse

    @classmethod
    def of(cls, whole: Purse) -> Purses:
        """Both parts of a purse."""
        return cls(whole, Purse(whole=whole), Purse(whole=whole))


def tightest(budgets: Iterable[Budget], max_calls: int | None, max_cost: Decimal | None) -> Purse:
    """A purse with the tightest of the limits given on the command line and in the manifests of an invocation."""
    declared = list(budgets)
    costs = [Decimal(budget.max_cost_usd) for budget in declared if budget.max_cost_usd is not None]
    cost = min([*costs, *([max_cost] if max_cost is not None else [])], default=None)
    return Purse(smallest([max_calls, *(budget.max_calls for budget in declared)]), cost)
