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
    """Counts calls and money over all threads of an invocation; refuses a call that would pass the limit."""

    def __init__(self, max_calls: int | None = None, max_cost: Decimal | None = None) -> None:
        self._max_calls = max_calls
        self._max_cost = max_cost
        self._guard = threading.Lock()
        self.calls = 0
        self.cost = Decimal(0)

    def reserve(self) -> bool:
        """Count one call before it is sent; False where the budget is used up, and then nothing is counted."""
        with self._guard:
            if self._max_calls is not None and self.calls >= self._max_calls:
                return False
            if self._max_cost is not None and self.cost >= self._max_cost:
                return False
            self.calls += 1
            return True

    def settle(self, usage: Usage | None) -> None:
        """Add what a call turned out to cost, where the agent tells."""
        if usage is not None:
            with self._guard:
                self.cost += Decimal(usage.cost_usd)


class Part(Purse):
    """Some of the calls of an invocation, counted for themselves and out of its one purse."""

    def __init__(self, whole: Purse) -> None:
        super().__init__()
        self._whole = whole

    def reserve(self) -> bool:
        """Count one call here and there; False where the whole budget is used up."""
        return self._whole.reserve() and super().reserve()

    def settle(self, usage: Usage | None) -> None:
        """Add what a call turned out to cost here and there."""
        self._whole.settle(usage)
        super().settle(usage)


class Purses(Struct, frozen=True):
    """One budget, and what of it went to agents and to judges."""

    whole: Purse
    agents: Part
    judges: Part

    @classmethod
    def of(cls, whole: Purse) -> Purses:
        """Both parts of a purse."""
        return cls(whole, Part(whole), Part(whole))


def tightest(budgets: Iterable[Budget], max_calls: int | None, max_cost: Decimal | None) -> Purse:
    """A purse with the tightest of the limits given on the command line and in the manifests of an invocation."""
    declared = list(budgets)
    costs = [Decimal(budget.max_cost_usd) for budget in declared if budget.max_cost_usd is not None]
    cost = min([*costs, *([max_cost] if max_cost is not None else [])], default=None)
    return Purse(smallest([max_calls, *(budget.max_calls for budget in declared)]), cost)
