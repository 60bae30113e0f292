"""The plugins that are installed here, found and loaded at most once, and only when somebody asks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from pathlib import Path

from selftune_build.errors import InputError
from selftune_build.gates.builtin import RESERVED
from selftune_build.plugins.audit import protect
from selftune_build.plugins.kinds import Kind
from selftune_build.plugins.plugin import Offer, Plugin, built_in, load
from selftune_build.plugins.trust import Census, Refused, census, normal
from selftune_build.store.location import find_store

READING = (Kind.GATE, Kind.READER)
"""What may be used under `--locked`: it reads and decides, nothing else."""

Say = Callable[[str], None]
"""Hears what is worth knowing and stops nothing."""


class Installed:
    """Finds offers by kind and id.

    `only` names the distributions that may be loaded at all, and then of them only what reads; None means every one, whole.
    """

    def __init__(self, root: Path, say: Say, only: Collection[str] | None = None) -> None:
        self.root = root
        self._say = say
        self._only = None if only is None else frozenset(map(normal, only))
        self._kinds = tuple(Kind) if only is None else READING
        self._guard = threading.Lock()
        self._census: Census | None = None
        self._plugins: dict[str, Plugin] = {}
        self._told: set[str] = set()

    def census(self) -> Census:
        """Everything that offers plugins, nothing imported."""
        with self._guard:
            if self._census is None:
                self._census = census(self.root)
            return self._census

    def plugins(self) -> list[Plugin]:
        """Every plugin that may be loaded, sorted by name; those that failed too, with their faults."""
        wanted = [found for found in self.census().found if self._only is None or found.name in self._only]
        with self._guard:
            for folder in (self.root, find_store(self.root)):
                protect(folder)
            for found in wanted:
                if found.name not in self._plugins:
                    self._plugins[found.name] = load(found, self.root, self._kinds)
            return [self._plugins[found.name] for found in wanted]

    def refused(self) -> tuple[Refused, ...]:
        """Distributions that lie in a checkout."""
        return self.census().refused

    def absent(self, names: Collection[str]) -> tuple[str, ...]:
        """Of these distributions those that are not installed, or offer no plugin."""
        there = {found.name for found in self.census().found}
        return tuple(name for name in names if normal(name) not in there)

    def find(self, kind: Kind, name: str) -> Offer | None:
        """The one offer of this id, None where nobody here makes it. Raises InputError where two plugins do.

        Plugins that failed are named when they might have been the one.
        """
        plugins = self.plugins()
        offers = [offer for plugin in plugins for offer in plugin.offers if (offer.kind, offer.id) == (kind, name)]
        if len(offers) > 1:
            names = " and ".join(str(offer.supplier) for offer in offers)
            raise InputError(
                f"the {kind} {name!r} is supplied twice, by {names}",
                code="plugin-duplicate",
                hint=f"uninstall one of them: pip uninstall {offers[-1].supplier.name}",
            )
        if not offers:
            self._tell(plugins)
        return offers[0] if offers else None

    def _tell(self, plugins: list[Plugin]) -> None:
        messages = [fault for plugin in plugins for fault in plugin.faults]
        messages += [f"the plugin {each.name} in {each.location} is not used: {each.reason}" for each in self.refused()]
        for message in messages:
            if message not in self._told:
                self._told.add(message)
                self._say(message)


def shadowed(plugins: list[Plugin]) -> list[str]:
    """One sentence for each offer that cannot be reached: its id is taken by the tool itself, or by another plugin."""
    own = {(offer.kind, offer.id) for offer in built_in().offers} | {(Kind.GATE, name) for name in RESERVED}
    seen: dict[tuple[Kind, str], Offer] = {}
    sentences = []
    for offer in (offer for plugin in plugins for offer in plugin.offers):
        key = (offer.kind, offer.id)
        if key in own:
            sentences.append(f"the {offer.kind} {offer.id!r} of {offer.supplier} is not used: the id is built in")
        elif key in seen:
            sentences.append(f"the {offer.kind} {offer.id!r} is supplied twice, by {seen[key].supplier} and {offer.supplier}")
        seen.setdefault(key, offer)
    return sentences
