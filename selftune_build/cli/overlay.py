"""`--overlay PATCH`: from the word on the command line to the workspace that the patch makes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from selftune_build.errors import UsageError
from selftune_build.limits import CANDIDATE_HEAD_BYTES, PATCH_BYTES

if TYPE_CHECKING:
    from selftune_build.engine.load import Universe
    from selftune_build.engine.request import BuildRequest
    from selftune_build.plugins.registry import Plugins

STDIN = "-"
_MOST = PATCH_BYTES + CANDIDATE_HEAD_BYTES


def refuse_beside_overlay(overlay: str | None, *, locked: bool, since: str | None) -> None:
    """Raises UsageError for flags that make no sense where a patch is tried."""
    if overlay is None:
        return
    if locked:
        hint = "leave --locked away: an overlay is measured, and writes no lock"
        raise UsageError("--overlay does not go with --locked: no lock speaks of a tree that is not there", hint=hint)
    if since is not None:
        hint = "name the packages instead"
        raise UsageError("--overlay does not go with --since: what changed since a revision is a question to the tree", hint=hint)


def laid_over(universe: Universe, request: BuildRequest, word: str | None, plugins: Plugins) -> tuple[Universe, BuildRequest]:
    """The workspace as the patch makes it, and the request with the patch; both as they are without one.

    Raises UsageError where the patch cannot be read, InputError as `open_overlay`, and as `require_harmless`.
    """
    if word is None:
        return universe, request
    from selftune_build.engine.load import load_universe
    from selftune_build.engine.overlay.opening import open_overlay
    from selftune_build.engine.overlay.overlaid import require_harmless

    overlaid = open_overlay(universe, _patch(word, request.directory), word)
    patched = load_universe(universe.root, registry=plugins.registry, disk=overlaid.disk)
    require_harmless(overlaid, patched)
    return patched, replace(request, overlay=overlaid)


def _patch(word: str, directory: Path) -> bytes:
    """At most one byte more than a patch may have."""
    if word == STDIN:
        return sys.stdin.buffer.read(_MOST + 1)
    try:
        with (directory / word).open("rb") as stream:
            return stream.read(_MOST + 1)
    except OSError as error:
        raise UsageError(
            f"the patch {word!r} cannot be read: {error.strerror or error}", hint="name a file, or - for stdin"
        ) from None
