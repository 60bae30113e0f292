"""A candidate: an edit of one package that a mutator proposes, before anybody has measured it."""

from __future__ import annotations

from msgspec import Struct

from selftune_build.model.patch import FilePatch


class Candidate(Struct, frozen=True):
    """What is proposed for which state of a package, why, and by whom."""

    package: str
    """Folder of the package, relative to the workspace."""
    parent: str
    """Digest of the package tree that it was made from."""
    mutator: str
    """Id of the mutator."""
    version: str
    """Version of the mutator."""
    reason: str
    """One sentence for people."""
    surface: tuple[str, ...]
    """The facets that it touches, sorted: `metadata`, `body`, `file:PATH`."""
    files: tuple[FilePatch, ...] = ()
    """The patch as it was read, its paths relative to the workspace."""
    digest: str = ""
    """Of the document as it is kept."""
