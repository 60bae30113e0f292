"""What plugins supply: hook specifications, discovery, trust. Only this package knows pluggy.

A plugin needs one import: `from selftune_build.plugins import hookimpl, AgentType, …`; every name of `plugins.api` is found
here too. They are looked up when they are asked for, so that a build which needs no plugin does not pay for pluggy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selftune_build.plugins.api import *  # noqa: F403


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    api = import_module("selftune_build.plugins.api")
    try:
        return getattr(api, name)
    except AttributeError:
        raise AttributeError(f"selftune_build.plugins has no {name!r}; its names are those of plugins.api") from None
