"""Who is activated for whose prompts: pure functions over what was seen, whoever saw it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations

from msgspec import Struct

HIGH = Fraction(3, 5)
MEDIUM = Fraction(2, 5)
"""From these shares on the pressure between two skills is high, or medium."""
FAMILY = 3
"""Fewer skills are no family that could be consolidated."""


class Claim(Struct, frozen=True):
    """A prompt that a skill claims as its own, and which skills were activated for it in each sample.

    None for a sample whose agent does not tell. Skills go by the names that hosts show.
    """

    owner: str
    case: str
    prompt: str
    samples: tuple[frozenset[str] | None, ...]

    def share(self, skill: str) -> Fraction | None:
        """In which share of the samples that tell a skill was activated; None where none tells."""
        return share_of(self.samples, skill)


class Cell(Struct, frozen=True):
    """How often `taker` was activated for the prompts of `owner`: the mean over its prompts, each counting once."""

    owner: str
    taker: str
    share: Fraction | None
    """None where nothing was measured."""
    prompts: int
    """How many were."""


class Contested(Struct, frozen=True):
    """A prompt of one skill for which another was activated, in this share of its samples; 0: both claim it in their evals."""

    owner: str
    taker: str
    case: str
    prompt: str
    share: Fraction
    claimed_by_both: bool = False


class Overlap(Struct, frozen=True):
    """Two skills and the prompts between them."""

    one: str
    other: str
    contested: tuple[Contested, ...]
    share: Fraction
    """Contested prompts over the number of prompts of the skill that has fewer; at most 1."""

    @property
    def pressure(self) -> str:
        """`high`, `medium` or `low`."""
        return "high" if self.share >= HIGH else "medium" if self.share >= MEDIUM else "low"


def share_of(samples: Iterable[frozenset[str] | None], skill: str) -> Fraction | None:
    """In which share of the samples that tell a skill was activated; None where none tells."""
    told = [used for used in samples if used is not None]
    return Fraction(sum(skill in used for used in told), len(told)) if told else None


def matrix(claims: Sequence[Claim], skills: Sequence[str]) -> tuple[Cell, ...]:
    """One cell for each owner and taker, row by row in the order of `skills`; the diagonal is each skill's own recall."""
    return tuple(_cell(owner, taker, claims) for owner in skills for taker in skills)


def _cell(owner: str, taker: str, claims: Iterable[Claim]) -> Cell:
    shares = [share for claim in claims if claim.owner == owner and (share := claim.share(taker)) is not None]
    return Cell(owner, taker, sum(shares, Fraction(0)) / len(shares) if shares else None, len(shares))


def overlaps(claims: Sequence[Claim], skills: Sequence[str]) -> tuple[Overlap, ...]:
    """Every pair of skills with a contested prompt, the largest share first."""
    found = [_overlap(one, other, claims) for one, other in combinations(skills, 2)]
    return tuple(sorted((each for each in found if each.contested), key=lambda each: (-each.share, each.one, each.other)))


def _overlap(one: str, other: str, claims: Sequence[Claim]) -> Overlap:
    mine = [claim for claim in claims if claim.owner == one]
    theirs = [claim for claim in claims if claim.owner == other]
    both = {_key(claim.prompt) for claim in mine} & {_key(claim.prompt) for claim in theirs}
    contested = tuple(
        Contested(claim.owner, taker, claim.case, claim.prompt, share or Fraction(0), _key(claim.prompt) in both)
        for claim, taker in (*((claim, other) for claim in mine), *((claim, one) for claim in theirs))
        if (share := claim.share(taker)) or _key(claim.prompt) in both
    )
    prompts = {_key(each.prompt) for each in contested}
    fewer = min(len({_key(claim.prompt) for claim in group}) for group in (mine, theirs)) if mine and theirs else 0
    return Overlap(one, other, contested, min(Fraction(1), Fraction(len(prompts), fewer)) if fewer else Fraction(bool(prompts)))


def _key(prompt: str) -> str:
    return " ".join(prompt.casefold().split())


def families(found: Sequence[Overlap]) -> tuple[tuple[str, ...], ...]:
    """Groups of at least three skills that overlaps link with each other: candidates for one skill. Sorted."""
    groups: list[set[str]] = []
    for each in found:
        linked = [group for group in groups if group & {each.one, each.other}]
        groups = [group for group in groups if group not in linked]
        groups.append({each.one, each.other}.union(*linked))
    return tuple(sorted(tuple(sorted(group)) for group in groups if len(group) >= FAMILY))
