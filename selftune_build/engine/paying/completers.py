"""Who is asked in the role `complete` for each package of an invocation, out of one purse."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property

from msgspec import Struct

from selftune_build.agents.builtin import make_agent
from selftune_build.engine.load import Universe
from selftune_build.engine.paying.budget import Purse, tightest
from selftune_build.engine.paying.completing import Completer
from selftune_build.engine.paying.pools import pool_of
from selftune_build.engine.planning.price import price_of, refuse_or_confirm
from selftune_build.engine.request import BuildRequest, Surroundings
from selftune_build.errors import UndecidedError
from selftune_build.model.package import Package
from selftune_build.store.location import find_store, open_store
from selftune_build.store.samples import SampleStore
from selftune_build.wording import counted


class CompletionWish(Struct, frozen=True):
    """What the command line says of the questions: who is asked, and what that may cost."""

    agent: str | None = None
    """None: the first agent that the manifest of a package names."""
    model: str | None = None
    max_calls: int | None = None
    max_cost: Decimal | None = None
    assume_yes: bool = False
    dry_run: bool = False


class Completers:
    """Makes one `Completer` for each package, when it is first asked for."""

    def __init__(self, universe: Universe, packages: Sequence[Package], wish: CompletionWish, around: Surroundings) -> None:
        self.purse: Purse = tightest((package.manifest.budget for package in packages), wish.max_calls, wish.max_cost)
        self._universe = universe
        self._packages = packages
        self._wish = wish
        self._around = around
        self._made: dict[str, Completer] = {}

    def of(self, package: Package) -> Completer:
        """Raises UndecidedError where the agent is not there or does not serve the role."""
        if package.path not in self._made:
            self._made[package.path] = self._make(package)
        return self._made[package.path]

    def can(self, package: Package) -> bool:
        """Whether there is an agent that serves the role and could be asked now."""
        try:
            return self.of(package).agent.unavailable() is None
        except UndecidedError:
            return False

    def agree(self, missing: int) -> str | None:
        """Say what so many calls will cost before the first of them; the price in words, None where nothing is paid.

        Raises UndecidedError for a large number that nobody has agreed to.
        """
        free = all(completer.agent.traits.free for completer in self._made.values())
        price = price_of(0 if free else missing, [cost for each in self._made.values() for cost in each.costs])
        if not self._wish.dry_run:
            budgets = [package.manifest.budget for package in self._packages]
            budgeted = any(budget.max_calls or budget.max_cost_usd for budget in budgets)
            request = BuildRequest(
                self._universe.root,
                assume_yes=self._wish.assume_yes,
                max_calls=self._wish.max_calls,
                max_cost=self._wish.max_cost,
            )
            refuse_or_confirm(price, request, budgeted, self._around.confirm)
        return str(price) if price else None

    def announced(self, missing: int) -> str | None:
        """As `agree`, and say whom so many questions go to."""
        price = self.agree(missing)
        if missing:
            self._around.progress.waiting(
                f"{counted(missing, 'question')} to {', '.join(self.names)}{f': {price}' if price else ''}"
            )
        return price

    @property
    def reused(self) -> int:
        """Questions that were answered by the store."""
        return sum(completer.reused for completer in self._made.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The agents that were made, by name, each once."""
        return tuple(dict.fromkeys(completer.agent.name for completer in self._made.values()))

    @cached_property
    def _store(self) -> SampleStore:
        """Opened when somebody is there to be asked."""
        root = self._universe.root
        return SampleStore(find_store(root) if self._wish.dry_run else open_store(root), self._around.progress.waiting)

    def _make(self, package: Package) -> Completer:
        name = self._wish.agent or package.manifest.agent[0]
        model = self._wish.model or package.manifest.model
        agent = make_agent(name, package.manifest, self._universe.root, model, self._around.registry.agents)
        if not agent.traits.completes:
            raise UndecidedError(
                f"the agent `{name}` runs skills and answers no questions, so it cannot draft anything",
                code="agent-unavailable",
                hint="name one that does: --agent NAME (llm, claude, codex, or one declared under `agents:` in selftune.yaml)",
            )
        pool = pool_of(agent, model, [package.manifest], self._store)
        return Completer(agent, model, self._store, self.purse, self._around, pool)
