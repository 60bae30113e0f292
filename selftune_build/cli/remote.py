"""The remote that builds share through, where the user has named one: looked up at the cost of one file that is not there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from selftune_build.errors import UsageError
from selftune_build.sharing.home import may_name_remote

if TYPE_CHECKING:
    from selftune_build.engine.request import Surroundings
    from selftune_build.model.remote import RemoteState
    from selftune_build.sharing.exchange import Exchange
    from selftune_build.sharing.named import Named


def named(root: Path) -> Named | None:
    """The remote for a workspace. Raises UsageError and InputError."""
    if not may_name_remote():
        return None
    from selftune_build.sharing.named import named_remote

    return named_remote(root)


def sharing(root: Path, around: Surroundings, *, required: bool, looks: bool) -> Exchange | None:
    """The exchange of a build with its remote. Raises UsageError, also where one is required and none is named."""
    found = _exchange(root, around.progress.warning, around.progress.waiting, around.stop, required=required, looks=looks)
    if found is None and required:
        hint = "name one in $SELFTUNE_REMOTE or in remotes.yaml of your configuration (docs/store.md)"
        raise UsageError("--remote-required, and no remote is named for this workspace", hint=hint)
    return found


def looking(root: Path, say: Callable[[str], None]) -> Exchange | None:
    """The exchange of a plan, which writes nothing. Raises UsageError and InputError."""
    return _exchange(root, say, say, threading.Event(), required=False, looks=True)


def state(root: Path) -> RemoteState | None:
    """How the remote for a workspace is, asked once and briefly. Raises UsageError and InputError."""
    remote = named(root)
    if remote is None:
        return None
    from selftune_build.sharing.standing import state_of
    from selftune_build.store.location import find_store

    return state_of(remote, find_store(root))


def _exchange(
    root: Path,
    warning: Callable[[str], None],
    waiting: Callable[[str], None],
    stop: threading.Event,
    *,
    required: bool,
    looks: bool,
) -> Exchange | None:
    remote = named(root)
    if remote is None:
        return None
    from selftune_build.sharing.exchange import Exchange, Voice
    from selftune_build.store.location import find_store

    return Exchange(remote, find_store(root), Voice(warning, waiting, stop), required=required, looks=looks)
