"""By which policy packages are judged, where that is not their own: `--policy FILE|REV` (ADR 0041)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from selftune_build.engine.past.workspace import PastWorkspace
from selftune_build.errors import UndecidedError, UsageError
from selftune_build.fingerprint.tree import find_boundary
from selftune_build.model.manifest import Manifest
from selftune_build.reading.manifest import effective, read_manifest
from selftune_build.reading.workspace import read_regular
from selftune_build.revision.repository import find_repository
from selftune_build.revision.revision import open_revision

SETTINGS = ("gates", "samples", "policy", "accepted")
"""The settings that are not taken from what is judged. The others make keys: they are compared, and a difference is told."""
_FILE = (".yaml", ".yml")
_PLACE = ("/", "./", "../")


class Standard:
    """The settings that a file or a revision lays down for the packages of a workspace."""

    def __init__(self, word: str, manifest_of: Callable[[str], Manifest], before: PastWorkspace | None = None) -> None:
        self.word = word
        self.before = before
        """The workspace as it was where this change began; None where nothing is known of that (a file)."""
        self._manifest_of = manifest_of

    def over(self, member: str, own: Manifest) -> Manifest:
        """The manifest that a package is judged by: its own, with the settings that rule."""
        other = self._manifest_of(member)
        return msgspec.structs.replace(own, **{name: getattr(other, name) for name in SETTINGS})


def open_standard(root: Path, directory: Path, word: str) -> Standard:
    """The standard that `--policy` names. Raises UsageError, InputError and UndecidedError.

    A file is what ends like a manifest or begins like a path: everything else is a revision, so that nobody can put a file into
    a checkout that is taken for the revision somebody meant.
    """
    if word.endswith(_FILE) or word.startswith(_PLACE):
        return _of_file(root, directory / word, word)
    repository = find_repository(root)
    revision = open_revision(repository.root, word)
    try:
        began = revision.since()
    except UndecidedError:  # history was left out: then today is compared with the revision itself
        began = revision
    there = PastWorkspace(root, revision)
    return Standard(word, lambda member: there.manifest_of(there.home(member)), PastWorkspace(root, began))


def _of_file(root: Path, path: Path, word: str) -> Standard:
    real, clone = path.resolve(), find_boundary(root, root.resolve())
    if real.is_relative_to(clone) or Path(os.path.abspath(path)).is_relative_to(clone):
        hint = "name a file outside of the clone, or a revision such as origin/main"
        raise UsageError(f"{word} is part of what is judged, so it cannot be the policy", hint=hint)
    try:
        content = read_regular(real)
    except OSError as error:
        raise UsageError(f"the policy {word} cannot be read: {error.strerror}", hint="name an existing manifest") from None
    if content is None:
        raise UsageError(f"the policy {word} is no regular file", hint="name an existing manifest")
    file = read_manifest(content, word)
    manifest = effective(file, None, ".") if file.is_workspace else effective(None, file, ".")
    return Standard(word, lambda member: manifest)
