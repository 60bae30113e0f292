"""First eval cases of a package from the words of its skill and its siblings: no model is asked, a human reviews."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from selftune_build.agents.embedded.vocabulary import stem_set
from selftune_build.limits import DRAFTED_TEXT_CHARACTERS
from selftune_build.model.package import Package
from selftune_build.reading.evals.content import text_digest
from selftune_build.scaffold.drafting.drafts import SEED, Draft, Drafting, drafted, drafting
from selftune_build.scaffold.drafting.drawing import Drawn, drawn_prompts, refused_prompts
from selftune_build.scaffold.drafting.generation import Situation
from selftune_build.scaffold.drafting.other_business import OTHER_BUSINESS, SITUATIONS
from selftune_build.scaffold.drafting.phrasing import printable
from selftune_build.scaffold.drafting.similarity import Asked, normalised
from selftune_build.scaffold.missing import DECIDABLE

DRAWN_MOST = 7
"""With the explicit mention eight cases: one of them may fail and the default gate still passes."""
CONTEXTUAL_OF = 3
"""Of so many drawn prompts one is put into a situation."""
UNRELATED_MOST = DECIDABLE
REFUSED_MOST = 3
"""Of what a description says the skill is not for."""
SIBLINGS_MOST = 4
"""Of so many siblings, the likeliest to be confused, each gives an explicit and a drawn prompt."""


class FromWords:
    """Drafts by the texts alone: the same texts and seed always give the same cases with the same ids, and an edit elsewhere
    in the texts leaves both alone. `most` is the number of cases for each side."""

    def __init__(self, seed: int = SEED, most: int | None = None, negatives: bool = True) -> None:
        self._seed = seed
        self._most = most
        self._negatives = negatives

    def draft(self, situation: Situation) -> Drafting:
        """Cases that existing ones do not ask already, their ids other than those taken."""
        there, own = Asked(case.prompt for case in situation.existing), set[str]()
        ids = set(situation.taken)
        drafts: list[Draft] = []
        for each in self._all(situation.package, situation.siblings):
            key = normalised(each.prompt)
            if key not in own and each.id not in ids and there.like(each.prompt) is None and not self._full(drafts, each):
                own.add(key)
                ids.add(each.id)
                drafts.append(each)
        return drafting(drafts, situation.existing)

    def _all(self, package: Package, siblings: Sequence[Package]) -> Iterator[Draft]:
        yield from self._positives(package)
        if self._negatives:
            yield from self._others(package)
            yield from self._confusions(package, siblings)

    def _full(self, drafts: Iterable[Draft], another: Draft) -> bool:
        return self._most is not None and sum(each.should_trigger is another.should_trigger for each in drafts) >= self._most

    def _positives(self, package: Package) -> Iterator[Draft]:
        yield explicit(package)
        chosen = self._chosen(package)
        situated = {drawn.prompt for drawn in self._shuffled(package, chosen)[: len(chosen) // CONTEXTUAL_OF]}
        for drawn in chosen:
            if drawn.prompt in situated:
                yield drafted("contextual", self._situated(package, drawn.prompt), f"From its {drawn.source}, in a situation")
            else:
                yield drafted("implicit", drawn.prompt, f"From its {drawn.source}")

    def _situated(self, package: Package, prompt: str) -> str:
        """The prompt and what is going on around it, of which nothing is about the skill's own subject."""
        own = stem_set(_topic(package))
        free = [situation for situation in SITUATIONS if not stem_set(situation) & own] or list(SITUATIONS)
        return f"{prompt} {min(free, key=lambda situation: self._rank(prompt + situation))}"

    def _chosen(self, package: Package) -> list[Drawn]:
        """What was drawn, each prompt once; headings only where little else was, and of too many those that the name decides."""
        unique = {normalised(drawn.prompt): drawn for drawn in reversed(list(drawn_prompts(package)))}
        found = list(reversed(unique.values()))
        telling = [drawn for drawn in found if drawn.source != "heading"]
        others = self._shuffled(package, [drawn for drawn in found if drawn.source == "heading"])
        first = self._shuffled(package, telling)[:DRAWN_MOST]
        kept = {drawn.prompt for drawn in (*first, *others[: max(0, DECIDABLE - 1 - len(telling))])}
        return [drawn for drawn in found if drawn.prompt in kept]

    def _shuffled(self, package: Package, drawn: Iterable[Drawn]) -> list[Drawn]:
        """In an order that name and seed give each prompt on its own: one more or less leaves the others where they are."""
        return sorted(drawn, key=lambda each: self._rank(f"{package.name}\n{each.prompt}"))

    def _rank(self, text: str) -> str:
        return text_digest(text if self._seed == SEED else f"{self._seed}\n{text}")

    def _others(self, package: Package) -> Iterator[Draft]:
        refused = list(dict.fromkeys(refused_prompts(package)))
        refused.sort(key=lambda prompt: self._rank(f"{package.name}\n{prompt}"))
        for prompt in refused[:REFUSED_MOST]:
            yield drafted("negative", prompt, "What its description says it is not for")
        own = stem_set(_topic(package))
        free = [case for case in OTHER_BUSINESS if not stem_set(case.prompt) & own]
        free.sort(key=lambda case: self._rank(f"{package.name}\n{case.prompt}"))
        for case in sorted(free[:UNRELATED_MOST], key=lambda case: case.id):
            yield Draft(f"negative-{case.id}", "negative", case.prompt, "Other business")

    def _confusions(self, package: Package, siblings: Sequence[Package]) -> Iterator[Draft]:
        own = stem_set(_topic(package))
        for sibling in siblings[:SIBLINGS_MOST]:
            # Of what a sibling is asked for, the prompt with the most words of this skill is the likeliest mistake.
            closest = sorted(self._chosen(sibling), key=lambda drawn: (-len(stem_set(drawn.prompt) & own), drawn.prompt))
            for prompt in (explicit(sibling).prompt, *(drawn.prompt for drawn in closest[:1])):
                yield drafted("sibling", prompt, asked_of(sibling))


def explicit(package: Package) -> Draft:
    """The mention of a skill by its name."""
    return drafted("explicit", f"Use the {printable(package.name)} skill.", "From its name")


def asked_of(sibling: Package) -> str:
    """Where a sibling-confusion draft comes from, in words."""
    return f"What is asked of its sibling {printable(sibling.name)}; where both may answer, delete it"


def _topic(package: Package) -> str:
    return f"{package.name} {package.skill.description[:DRAFTED_TEXT_CHARACTERS]}"
