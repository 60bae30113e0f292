"""One plugin: a distribution whose entry points were imported and whose hooks were called."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import partial
from importlib import metadata
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy
from msgspec import Struct

from selftune_build.agents.protocol import AgentType
from selftune_build.checks.registry import Family
from selftune_build.engine.executing.protocol import ExecutorType
from selftune_build.gates.builtin import Gate
from selftune_build.limits import PLUGIN_LOAD_SECONDS, PLUGIN_OBJECTS
from selftune_build.mutators.protocol import Mutator
from selftune_build.plugins import builtin, hookspecs
from selftune_build.plugins.contain import Manner, PluginFailure, Supplier, contained
from selftune_build.plugins.guarded import guarded
from selftune_build.plugins.kinds import API_VERSION, HOOKS, PROJECT, Kind, id_fault, id_of
from selftune_build.plugins.trust import Found, import_fault
from selftune_build.reading.evals.recognise import Format
from selftune_build.report.format import ReportFormat

BUILT_IN = Supplier("selftune-build")

_TYPES: dict[Kind, Any] = {
    Kind.AGENT: AgentType,
    Kind.GATE: Gate,
    Kind.CHECK: Family,
    Kind.READER: Format,
    Kind.MUTATOR: Mutator,
    Kind.REPORT: ReportFormat,
    Kind.EXECUTOR: ExecutorType,
}
_LOADING = Manner(PLUGIN_LOAD_SECONDS)


class Offer(Struct, frozen=True):
    """One thing that a plugin supplies, ready to be used."""

    kind: Kind
    id: str
    supplier: Supplier
    supplied: Any
    summary: str = ""


class Plugin(Struct, frozen=True):
    """What a distribution offers, and what of it failed: one message for each fault."""

    supplier: Supplier
    location: str
    offers: tuple[Offer, ...] = ()
    faults: tuple[str, ...] = ()


def built_in() -> Plugin:
    """The tool's own offers, through the same hooks."""
    manager = _manager()
    manager.register(builtin, name=BUILT_IN.name)
    offers = [
        Offer(kind, id_of(kind, each), BUILT_IN, each, each.summary)
        for kind in Kind
        for results in getattr(manager.hook, HOOKS[kind])()
        for each in results
    ]
    return Plugin(BUILT_IN, str(Path(builtin.__file__).parents[1]), tuple(offers))


def load(found: Found, root: Path, kinds: Collection[Kind] = tuple(Kind)) -> Plugin:
    """Import the entry points of a distribution and call its hooks of these kinds.

    Never raises: what fails is a fault of the plugin.
    """
    supplier = Supplier(found.name, found.version)
    offers: list[Offer] = []
    faults: list[str] = []
    for entry in sorted(found.entries, key=lambda each: each.name):
        try:
            plugin = _imported(found, entry, supplier, root)
            offers += _of_entry(plugin, entry, supplier, kinds, faults)
        except PluginFailure as failure:
            faults.append(failure.message)
    return Plugin(supplier, found.location, tuple(offers), tuple(faults))


def _imported(found: Found, entry: metadata.EntryPoint, supplier: Supplier, root: Path) -> Any:
    fault = import_fault(found, entry, root)
    if fault is not None:
        raise PluginFailure(supplier, f"the entry point `{entry.name}`", fault)
    # Imports compile, cache and look for libraries by starting programs: only writing is watched here.
    importing = Manner(PLUGIN_LOAD_SECONDS, reads_only=False)
    return contained(supplier, f"the import of `{entry.value}`", entry.load, importing)


def _of_entry(
    plugin: Any, entry: metadata.EntryPoint, supplier: Supplier, kinds: Collection[Kind], faults: list[str]
) -> list[Offer]:
    contained(supplier, f"the entry point `{entry.name}`", lambda: _check_api(plugin), _LOADING)
    manager = _manager()
    contained(supplier, f"the entry point `{entry.name}`", lambda: _register(manager, plugin), _LOADING)
    offers: list[Offer] = []
    for kind in kinds:
        try:
            offers += _of_kind(manager, plugin, kind, supplier)
        except PluginFailure as failure:
            faults.append(failure.message)
    return offers


def _check_api(plugin: Any) -> None:
    version = getattr(plugin, "selftune_api", API_VERSION)
    if version != API_VERSION:
        raise ValueError(f"it is written for version {version} of the plugin API, this is version {API_VERSION}")
    if not isinstance(plugin, ModuleType) and isinstance(plugin, type):
        raise TypeError("it is a class; name a module, or an instance")


def _register(manager: pluggy.PluginManager, plugin: Any) -> None:
    """Raises PluginValidationError for a hook that does not exist or asks for arguments that there are not."""
    manager.register(plugin, name="plugin")
    callers = manager.get_hookcallers(plugin) or []
    if not callers:
        raise ValueError(f"it implements no hook; mark functions with `hookimpl`: {', '.join(HOOKS.values())}")
    manager.check_pending()
    wrapping = [caller.name for caller in callers for each in caller.get_hookimpls() if each.wrapper or each.hookwrapper]
    if wrapping:
        raise ValueError(f"it wraps {wrapping[0]}: a plugin supplies, it does not change what others supply")


def _of_kind(manager: pluggy.PluginManager, plugin: Any, kind: Kind, supplier: Supplier) -> list[Offer]:
    hook = HOOKS[kind]
    calls = [each.function for each in getattr(manager.hook, hook).get_hookimpls()]
    supplied = [each for call in calls for each in contained(supplier, f"the hook {hook}", partial(_listed, call), _LOADING)]
    return [contained(supplier, f"the hook {hook}", partial(_offer, kind, each, supplier), _LOADING) for each in supplied]


def _listed(call: Callable[[], Any]) -> list[Any]:
    value = call()
    if not isinstance(value, Iterable) or isinstance(value, (str, bytes)):
        raise TypeError(f"it returned {type(value).__name__}, not a list")
    listed = list(islice(value, PLUGIN_OBJECTS + 1))
    if len(listed) > PLUGIN_OBJECTS:
        raise ValueError(f"it returned more than {PLUGIN_OBJECTS}")
    return listed


def _offer(kind: Kind, each: Any, supplier: Supplier) -> Offer:
    expected = _TYPES[kind]
    if not isinstance(each, expected):
        raise TypeError(f"it returned {type(each).__name__} where a {expected.__name__} was expected")
    name = id_of(kind, each)
    fault = id_fault(kind, name)
    if fault is not None:
        raise ValueError(fault)
    if kind is Kind.AGENT and not (isinstance(each.cache_version, str) and each.cache_version):
        raise ValueError(f"the agent {name!r} declares no cache_version")
    if kind is Kind.MUTATOR and not (isinstance(each.version, str) and each.version):
        raise ValueError(f"the mutator {name!r} declares no version")
    summary = each.summary if isinstance(each.summary, str) else ""
    return Offer(kind, name, supplier, guarded(kind, each, supplier), summary)


def _manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager
