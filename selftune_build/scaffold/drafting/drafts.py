"""Eval cases that were drafted for a package and wait for a reviewer, whoever drafted them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Literal, Protocol, TypeVar, get_args

from msgspec import Struct
from msgspec.structs import replace

from selftune_build.model.case import Case
from selftune_build.model.split import HOLDOUT, TUNE
from selftune_build.reading.evals.identifiers import derived_id
from selftune_build.scaffold.drafting.splitting import held_out
from selftune_build.scaffold.missing import DECIDABLE
from selftune_build.wording import counted

Kind = Literal["explicit", "implicit", "contextual", "negative", "sibling"]
KINDS: tuple[Kind, ...] = get_args(Kind)
TRIGGERING = frozenset({"explicit", "implicit", "contextual"})
SEED = 42
"""What decides where there is a choice, unless the user names another number."""


class Draft(Struct, frozen=True):
    """A case to be reviewed; `source` says in words where its prompt comes from."""

    id: str
    kind: Kind
    prompt: str
    source: str
    holdout: bool = False

    @property
    def should_trigger(self) -> bool:
        """Whether the skill is what the prompt is for."""
        return self.kind in TRIGGERING

    @property
    def tags(self) -> tuple[str, ...]:
        """As the eval file has them: that it was generated, its kind, its side of the split."""
        return ("generated", self.kind, HOLDOUT if self.holdout else TUNE)


class Sourced(Protocol):
    """Anything that says in words where it comes from."""

    @property
    def source(self) -> str:
        """Part of a sentence."""


_Item = TypeVar("_Item", bound=Sourced)


def listed(drafts: Iterable[_Item], entry: Callable[[_Item], str]) -> str:
    """The entries of a YAML list of cases, each group below a comment that says where it comes from."""
    lines, source = [], ""
    for each in drafts:
        if each.source != source:
            source = each.source
            lines.append(f"  # {source}.")
        lines.append(entry(each))
    return "\n".join([*lines, ""])


class Rejection(Struct, frozen=True):
    """A prompt that was drafted and is no case, and why: one sentence."""

    prompt: str
    kind: str
    reason: str


class Drafting(Struct, frozen=True):
    """The drafts for one package, what was rejected, and what they do not suffice for, in sentences."""

    drafts: tuple[Draft, ...]
    shortfalls: tuple[str, ...]
    rejected: tuple[Rejection, ...] = ()

    @property
    def triggering(self) -> int:
        """How many of the drafts say that the skill should trigger."""
        return sum(draft.should_trigger for draft in self.drafts)

    @property
    def holdout(self) -> int:
        """How many of the drafts are held out."""
        return sum(draft.holdout for draft in self.drafts)


def drafted(kind: Kind, prompt: str, source: str) -> Draft:
    """A draft whose id comes from its kind and its prompt alone."""
    return Draft(f"{kind}-{derived_id(prompt)}", kind, prompt, source)


def drafting(drafts: Sequence[Draft], existing: Collection[Case], rejected: Sequence[Rejection] = ()) -> Drafting:
    """The drafts with their split, and what they leave to be done beside the existing cases."""
    kept_back = held_out((each.kind, each.prompt) for each in drafts)
    split = tuple(replace(each, holdout=each.prompt in kept_back) for each in drafts)
    return Drafting(split, tuple(_shortfalls(drafts, existing)), tuple(rejected))


def _shortfalls(drafts: Sequence[Draft], existing: Collection[Case]) -> Iterator[str]:
    for wanted, kind in ((True, "should trigger the skill"), (False, "should leave it alone")):
        made = sum(draft.should_trigger is wanted for draft in drafts)
        count = made + sum(case.should_trigger is wanted for case in existing)
        if count < DECIDABLE:
            yield (
                f"its texts yield only {counted(made, 'case')} that {kind}, and fewer than {DECIDABLE} "
                f"decide no gate: write {DECIDABLE - count} more, in the words of your users"
            )
