"""The narrow protocol of a mutator: from a package and what was measured to edits worth trying."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct


class PackageView(Struct, frozen=True):
    """A package as a mutator sees it: bytes, never a folder, so that it cannot edit in place."""

    name: str
    tree: str
    """Digest of the package tree: the `parent` of every overlay made from it."""
    files: Mapping[str, bytes]
    """What an agent gets, by package-relative path; `SKILL.md` is always there."""


class CaseEvidence(Struct, frozen=True):
    """What is known about one eval with the skill staged; None for what it does not measure."""

    id: str
    prompt: str
    should_trigger: bool | None = None
    n: int = 0
    triggered: int | None = None
    passed: int | None = None
    failures: tuple[str, ...] = ()
    """One line for each check that did not hold."""


class Edit(Struct, frozen=True):
    """One file of an overlay: its new bytes, or None where it is to be removed."""

    path: str
    content: bytes | None


class Overlay(Struct, frozen=True):
    """A proposal: what to change of which package, why, and which facets that touches."""

    patch: tuple[Edit, ...]
    parent: str
    reason: str
    """One sentence for people."""
    surface: frozenset[str]
    """The facets it declares to touch: `metadata`, `body`, `file:PATH`."""


Propose = Callable[[PackageView, tuple[CaseEvidence, ...], int], Iterable[Overlay]]
"""Package, evidence and seed to proposals, the best first. The same for the same three."""


class Mutator(Struct, frozen=True):
    """A mutator: its id and how it proposes."""

    id: str
    propose: Propose
    summary: str = ""
