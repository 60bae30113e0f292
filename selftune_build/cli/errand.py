"""One invocation of `eval generate` or `eval unit-test --generate`: what is asked of it, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from selftune_build.exits import BAD_INPUT, INTERRUPTED, UNDECIDED, VERIFIED

if TYPE_CHECKING:
    from selftune_build.engine.paying.completers import CompletionWish
    from selftune_build.engine.paying.completing import Completer
    from selftune_build.model.package import Package
    from selftune_build.scaffold.drafting.generation import Generated, Generation, Situation
    from selftune_build.scaffold.writing import Written


class Errand(Struct, frozen=True):
    """One invocation: which packages, who drafts, and what of it is only to be shown."""

    targets: tuple[str, ...]
    directory: Path
    place: str
    """`-C` as it was typed; empty without."""
    wish: CompletionWish
    asks: bool | None
    """Whether a model is asked; None: if there is one."""
    seed: int
    most: int | None
    force: bool
    as_json: bool

    @property
    def dry_run(self) -> bool:
        """Whether nothing is asked and nothing written."""
        return self.wish.dry_run


class Craft(Struct, frozen=True):
    """What differs between the two commands."""

    schema: str
    file: str
    stage: str
    """The target that builds what was written."""
    lacks: Callable[[Package], bool]
    """Whether a package that nobody named gets a file."""
    from_words: Callable[[Situation], Generated]
    from_a_model: Callable[[Completer, Situation], Generated]
    missing: Callable[[Completer, Situation], int]
    """Questions that the store has no answer to."""
    review: dict[bool, str]
    """What to look at, by whether a model was asked."""
    nothing: str
    """What is said where nobody named a package and none lacks a file."""
    output: Path | None = None
    """Another file of the one package, as it was typed."""


class Outcome(Struct, frozen=True):
    """What came of an errand."""

    generation: Generation
    written: Written
    unreadable: list[dict[str, str]]
    unread: frozenset[str]
    """Folders of packages whose manifest leads a build past the file."""
    asked: bool
    agents: tuple[str, ...] = ()
    price: str | None = None
    questions: int = 0
    calls: int = 0
    reused: int = 0
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """Interrupted before bad input before not decided."""
        if self.interrupted:
            return INTERRUPTED
        if self.unreadable:
            return BAD_INPUT
        return UNDECIDED if self.generation.undrafted else VERIFIED
