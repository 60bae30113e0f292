"""What a plan will cost, said before anything is spent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from msgspec import Struct

from selftune_build.engine.request import BuildRequest
from selftune_build.errors import UndecidedError
from selftune_build.limits import CALLS_WITHOUT_ASKING
from selftune_build.wording import counted


class Price(Struct, frozen=True):
    """Calls to agents and judges that are not free, and what one has cost so far where the store knows."""

    calls: int
    each: Decimal | None
    planned: int = 0
    """How many the plan has where the budget allows fewer, else 0."""

    def __str__(self) -> str:
        """In words, for the line above the progress."""
        count = f"{self.calls} of {self.planned} paid calls" if self.planned else counted(self.calls, "paid call")
        cost = "price not known yet" if self.each is None else f"about {self.calls * self.each:.2f} USD"
        return f"{count}, {cost}" + (": then the budget is used up" if self.planned else "")

    def within(self, calls: int | None, cost: Decimal | None) -> Price:
        """What of it so many calls and so much money allow; None allows any."""
        affordable = int(max(cost, Decimal(0)) / self.each) if cost is not None and self.each else None
        most = smallest([calls, affordable])
        return self if most is None or most >= self.calls else Price(most, self.each, self.calls)


def price_of(calls: int, seen: Iterable[Decimal]) -> Price | None:
    """The price of so many calls, from what earlier ones cost; None where nothing is paid."""
    costs = list(seen)
    return Price(calls, sum(costs, Decimal(0)) / len(costs) if costs else None) if calls else None


def together(one: Price | None, other: Price | None) -> Price | None:
    """The price of both; not known where that of either is not."""
    if one is None or other is None:
        return one or other
    calls = one.calls + other.calls
    if one.each is None or other.each is None:
        return Price(calls, None)
    return Price(calls, (one.calls * one.each + other.calls * other.each) / calls)


def refuse_or_confirm(price: Price | None, request: BuildRequest, budgeted: bool, confirm: Callable[[str], bool | None]) -> None:
    """Let a plan go ahead. Raises UndecidedError for a large one that nobody has agreed to (DESIGN 8.1)."""
    if price is None or price.calls <= CALLS_WITHOUT_ASKING:
        return
    if request.assume_yes or budgeted or request.max_calls is not None or request.max_cost is not None:
        return
    answer = confirm(f"{price}. Go on?")
    if answer:
        return
    raise UndecidedError(
        f"nothing was run: {price}" if answer is None else "nothing was run, as you said",
        code="not-confirmed",
        hint="--yes, --max-calls N, --max-cost USD, or `budget:` in selftune.yaml; `--dry-run` shows the plan",
    )


def smallest(values: Sequence[int | None]) -> int | None:
    """The tightest of several limits, None where there is none."""
    given = [value for value in values if value is not None]
    return min(given) if given else None
