"""What executors have their workers call: one function from bytes to bytes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from selftune_build.engine.registry import Registry


def work(content: bytes) -> bytes:
    """Do what a build has sent to its executor, in this process, and say what came of it.

    A sample is in the store when it returns. Raises ValueError for what a build of another version has sent.
    """
    from selftune_build.engine.executing.task import encoded
    from selftune_build.engine.executing.worker import answer_to

    return encoded(answer_to(content, _registry))


@cache
def _registry(root: str) -> Registry:
    """What can be named in a workspace: the plugins that are installed where the worker runs."""
    from selftune_build.plugins.registry import Plugins

    return Plugins(lambda: Path(root), _unheard).registry


def _unheard(_message: str) -> None:
    """An agent that a plugin failed to supply is missing, and that is told."""
