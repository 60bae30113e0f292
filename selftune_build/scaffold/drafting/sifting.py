"""From what a model proposed to cases: what no reviewer should have to read is rejected, with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec.structs import replace

from selftune_build.agents.embedded.router import names_skill
from selftune_build.limits import DRAFTED_CONTEXT_CHARACTERS
from selftune_build.model.case import Case
from selftune_build.model.package import Package
from selftune_build.scaffold.drafting.drafts import TRIGGERING, Draft, Kind, drafted
from selftune_build.scaffold.drafting.questions import OVERSAMPLED, Proposal
from selftune_build.scaffold.drafting.similarity import Asked
from selftune_build.scaffold.drafting.two_questions import Sieve
from selftune_build.scaffold.drafting.words import asked_of

ENOUGH = "there are enough of its side"
"""Why what passed the critique may still be left out."""
_SOURCES: dict[Kind, str] = {
    "explicit": "Asks for it by name",
    "implicit": "Needs it and does not name it",
    "contextual": "Needs it, told inside of a situation",
    "negative": "Looks close and is not for it",
    "sibling": "Belongs to a sibling",
}


class Sifting:
    """Takes proposals for one package one after the other; tells the sieve what it rejects and why."""

    def __init__(self, package: Package, siblings: Sequence[Package], existing: Collection[Case], sieve: Sieve) -> None:
        self._sieve = sieve
        self._package = package
        self._siblings = {sibling.name: sibling for sibling in siblings}
        self._there = Asked(case.prompt for case in existing)
        self._existing = {case.prompt for case in existing}

    def sift(self, proposed: Iterable[Proposal], wanted: Mapping[Kind, int]) -> list[Proposal]:
        """The proposals that are worth a critique: readable, of the right kind, new, and no more than were asked for."""
        taken: Counter[Kind] = Counter()
        kept: list[Proposal] = []
        for raw in proposed:
            each = self._labelled(replace(raw, prompt=" ".join(raw.prompt.split())))
            fault = self._fault(each, taken[each.kind] >= OVERSAMPLED * wanted[each.kind])
            if fault is None:
                taken[each.kind] += 1
                self._there.add(each.prompt)
                kept.append(each)
            else:
                self._reject(each, fault)
        return kept

    def chosen(self, kept: Sequence[Proposal], wanted: Mapping[Kind, int], taken: Collection[str]) -> list[Draft]:
        """As many of each kind as are wanted; where a kind falls short, more of the others of its side. In order of kinds."""
        room = {side: sum(count for kind, count in wanted.items() if (kind in TRIGGERING) is side) for side in (True, False)}
        first: list[Proposal] = []
        spare: list[Proposal] = []
        counts: Counter[Kind] = Counter()
        for each in kept:
            (first if counts[each.kind] < wanted[each.kind] else spare).append(each)
            counts[each.kind] += 1
        for each in first:
            room[each.kind in TRIGGERING] -= 1
        for each in spare:
            if room[each.kind in TRIGGERING] > 0:
                room[each.kind in TRIGGERING] -= 1
                first.append(each)
            else:
                self._reject(each, ENOUGH)
        order = list(_SOURCES)
        drafts = [self._draft(each) for each in sorted(first, key=lambda each: (order.index(each.kind), each.sibling))]
        ids = {draft.id: draft for draft in reversed(drafts) if draft.id not in taken}
        return [draft for draft in drafts if ids.get(draft.id) is draft]

    def _labelled(self, each: Proposal) -> Proposal:
        """The kind that a positive prompt has by its words: whether it names the skill can be seen."""
        if each.kind not in TRIGGERING:
            return each
        names = names_skill(self._package.name, each.prompt)
        if names and each.kind != "explicit":
            return replace(each, kind="explicit")
        return replace(each, kind="implicit") if not names and each.kind == "explicit" else each

    def _fault(self, each: Proposal, enough: bool) -> str | None:
        """Why a proposal is no case, None for a good one."""
        if not each.prompt:
            return "it is empty"
        if not each.prompt.isprintable():
            return "it holds characters that cannot be shown"
        if len(each.prompt) > DRAFTED_CONTEXT_CHARACTERS:
            return f"it is longer than {DRAFTED_CONTEXT_CHARACTERS} characters"
        if each.kind == "sibling" and each.sibling not in self._siblings:
            return "it names no sibling of the skill"
        if enough:
            return "it is more than was asked for"
        like = self._there.like(each.prompt)
        if like is None:
            return None
        return f"{'an existing case' if like in self._existing else 'another draft'} asks the same: {like}"

    def _reject(self, each: Proposal, reason: str) -> None:
        self._sieve.reject(each.prompt, each.kind, reason)

    def _draft(self, each: Proposal) -> Draft:
        source = asked_of(self._siblings[each.sibling]) if each.kind == "sibling" else _SOURCES[each.kind]
        return drafted(each.kind, each.prompt, source)
