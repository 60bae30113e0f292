"""The narrow protocol of a mutator: from a package and what was measured to edits worth trying."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct, field


class PackageView(Struct, frozen=True):
    """A package as a mutator sees it: bytes, never a folder, so that it cannot edit in place."""

    name: str
    tree: str
    """Digest of the package tree: the `parent` of every overlay made from it."""
    files: Mapping[str, bytes]
    """What an agent gets, by package-relative path; `SKILL.md` is always there."""
    siblings: Mapping[str, str] = field(default_factory=dict)
    """Name → description of the skills that it competes with."""


class CaseEvidence(Struct, frozen=True):
    """What is known about one eval with the skill staged; None for what it does not measure. Never of a case that is held out."""

    id: str
    prompt: str
    should_trigger: bool | None = None
    n: int = 0
    triggered: int | None = None
    passed: int | None = None
    failures: tuple[str, ...] = ()
    """One line for each check that did not hold."""
    stolen_by: tuple[str, ...] = ()
    """Other skills that were used in place of this one, sorted; none where the samples are not at hand."""

    @property
    def missed(self) -> bool:
        """Whether the skill was left alone although it should have been used."""
        return self.should_trigger is True and self.triggered is not None and self.triggered < self.n

    @property
    def intruded(self) -> bool:
        """Whether the skill was used although it should have been left alone."""
        return self.should_trigger is False and bool(self.triggered)

    @property
    def failed(self) -> bool:
        """Whether a check did not hold in some sample."""
        return self.passed is not None and self.passed < self.n


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
    """The facets that it touches, all of them: `metadata`, `body`, `file:PATH`. One that touches others is refused."""


Propose = Callable[[PackageView, tuple[CaseEvidence, ...], int], Iterable[Overlay]]
"""Package, evidence and seed to proposals, the best first. The same for the same three."""


class Question(Struct, frozen=True):
    """What a mutator wants to know of a model: a prompt, whose answer is JSON that fits the schema."""

    prompt: str
    schema: dict[str, Any]


Ask = Callable[[PackageView, tuple[CaseEvidence, ...], int], Iterable[Question]]
"""Package, evidence and seed to questions. The same for the same three, and none where there is nothing to mend."""

ProposeFrom = Callable[[PackageView, tuple[CaseEvidence, ...], int, tuple[Any, ...]], Iterable[Overlay]]
"""As `Propose`, with the answers to the questions in their order: data that fits the schema of each."""


class Consultation(Struct, frozen=True):
    """How a mutator uses a model that it does not call itself: answers are paid for, announced and kept by whoever asks it."""

    ask: Ask
    propose: ProposeFrom


class Mutator(Struct, frozen=True):
    """A mutator: its id, how it proposes, and how with a model where the user names one."""

    id: str
    propose: Propose
    summary: str = ""
    version: str = "1"
    """Part of every candidate; raise it when the same arguments give other proposals."""
    consult: Consultation | None = None
    """None: it never asks a model."""
