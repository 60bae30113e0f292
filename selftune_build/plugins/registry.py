"""From installed plugins to the registry that the engine gets; nothing is looked for before a name is not built in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selftune_build.engine.registry import BUILTIN, Registry
from selftune_build.report.format import REPORT_FORMATS, ReportFormat

if TYPE_CHECKING:
    from selftune_build.engine.executing.protocol import ExecutorType
    from selftune_build.mutators.protocol import Mutator
    from selftune_build.plugins.installed import Installed


class Named(Mapping[str, Any]):
    """Built-in things by id, then what plugins supply; whether a plugin does is found out when its id is asked for."""

    def __init__(self, built_in: Mapping[str, Any], look: Callable[[str], Any]) -> None:
        self._built_in = built_in
        self._look = look
        self._found: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name in self._built_in:
            return self._built_in[name]
        if name not in self._found:
            self._found[name] = self._look(name)
        if self._found[name] is None:
            raise KeyError(name)
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._built_in)

    def __len__(self) -> int:
        return len(self._built_in)


class Plugins:
    """What one invocation may use. `root` is asked for only when plugins are looked for; `say` hears of those that fail."""

    def __init__(self, root: Callable[[], Path], say: Callable[[str], None], *, locked: bool = False) -> None:
        self._root = root
        self._say = say
        self._locked = locked
        self._opened: dict[tuple[str, ...] | None, Installed] = {}

    @cached_property
    def registry(self) -> Registry:
        """What the engine gets. Under `--locked` nothing but what `policy.plugins` allows, and of that only what reads."""
        if self._locked:
            return Registry(BUILTIN.agents, BUILTIN.gates, BUILTIN.checks, BUILTIN.readers, restrict=self._restricted)
        return Registry(
            agents=Named(BUILTIN.agents, lambda name: self._find("agent", name)),
            gates=Named(BUILTIN.gates, lambda name: self._find("gate", name)),
            checks=Named(BUILTIN.checks, lambda name: self._find("check", name)),
            readers=Named(BUILTIN.readers, lambda name: self._find("reader", name)),
            absent=lambda names: self.installed().absent(names),
        )

    @cached_property
    def reports(self) -> Mapping[str, ReportFormat]:
        """The formats of reports by id; under `--locked` the tool's own, since those of plugins are no part that only reads."""
        own = {each.id: each for each in REPORT_FORMATS}
        return own if self._locked else Named(own, lambda name: self._find("report", name))

    @cached_property
    def mutators(self) -> Mapping[str, Mutator]:
        """The mutators by id."""
        from selftune_build.mutators.builtin import MUTATORS

        return Named(MUTATORS, lambda name: self._find("mutator", name))

    @cached_property
    def executors(self) -> Mapping[str, ExecutorType]:
        """The executors by the scheme of their URLs; all come from plugins."""
        return Named({}, lambda name: self._find("executor", name))

    def _restricted(self, names: Sequence[str]) -> Registry:
        only = tuple(sorted(set(names)))
        if not only:
            return BUILTIN
        return Registry(
            agents=BUILTIN.agents,
            gates=Named(BUILTIN.gates, lambda name: self._find("gate", name, only)),
            checks=BUILTIN.checks,
            readers=Named(BUILTIN.readers, lambda name: self._find("reader", name, only)),
            absent=lambda wanted: self.installed(only).absent(wanted),
        )

    def installed(self, only: tuple[str, ...] | None = None) -> Installed:
        """Everything there is, or these distributions alone."""
        if only not in self._opened:
            from selftune_build.plugins.installed import Installed

            self._opened[only] = Installed(self._root(), self._say, only)
        return self._opened[only]

    def _find(self, kind: str, name: str, only: tuple[str, ...] | None = None) -> Any:
        from selftune_build.plugins.kinds import Kind

        offer = self.installed(only).find(Kind(kind), name)
        return offer.supplied if offer else None
