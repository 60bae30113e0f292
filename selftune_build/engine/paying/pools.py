"""Which pool the calls of an agent belong to."""

from __future__ import annotations

from collections.abc import Iterable

from selftune_build.agents.protocol import Agent
from selftune_build.model.manifest import Manifest, PoolSetting
from selftune_build.store.pool import Pool
from selftune_build.store.samples import SampleStore

_COMMAND = "command"
"""Type of agent whose service nobody knows but its own name."""


def pool_of(agent: Agent, model: str | None, manifests: Iterable[Manifest], store: SampleStore) -> Pool:
    """The pool of an agent and a model, under the tightest limits that manifests declare for it.

    Agents of one type ask the same service, whatever they are called; `pool: {name: …}` says otherwise.
    """
    plugin = agent.identity.get("plugin", _COMMAND)
    service = agent.name if plugin == _COMMAND else str(plugin)
    settings = [manifest.agents[agent.name].pool for manifest in manifests if agent.name in manifest.agents]
    named = next((setting.name for setting in settings if setting.name is not None), None)
    pool = store.pools.of(named or service, None if named else model, PoolSetting())
    for setting in settings:
        pool.tighten(setting)
    return pool
