"""First eval cases of a package from the words of its skill and its siblings: no model is asked, a human reviews."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Literal

from msgspec import Struct

from selftune_build.agents.embedded.vocabulary import stem_set
from selftune_build.limits import DRAFTED_TEXT_CHARACTERS
from selftune_build.model.case import Case
from selftune_build.model.package import Package
from selftune_build.reading.evals.content import text_digest
from selftune_build.reading.evals.identifiers import derived_id
from selftune_build.reading.evals.native import EVALS
from selftune_build.scaffold.drawing import Drawn, drawn_prompts
from selftune_build.scaffold.missing import DECIDABLE
from selftune_build.scaffold.other_business import OTHER_BUSINESS
from selftune_build.scaffold.phrasing import printable

DRAWN_MOST = 7
"""With the explicit mention eight cases: one of them may fail and the default gate still passes."""
UNRELATED_MOST = DECIDABLE
SIBLINGS_MOST = 4
"""Of so many siblings, the likeliest to be confused, each gives an explicit and a drawn prompt."""

Kind = Literal["explicit", "implicit", "negative", "sibling"]


class Draft(Struct, frozen=True):
    """A case to be reviewed; `source` says in words where its prompt comes from."""

    id: str
    kind: Kind
    prompt: str
    should_trigger: bool
    source: str


class Drafting(Struct, frozen=True):
    """The drafts for one package, and what they do not suffice for, in sentences."""

    drafts: tuple[Draft, ...]
    shortfalls: tuple[str, ...]

    @property
    def triggering(self) -> int:
        """How many of the drafts say that the skill should trigger."""
        return sum(draft.should_trigger for draft in self.drafts)


def draft(package: Package, siblings: Sequence[Package], existing: Collection[Case], taken: Collection[str]) -> Drafting:
    """Cases that `existing` ones do not ask already, their ids other than those `taken`.

    `siblings` are what an agent is offered beside the package, the likeliest to be confused first. The same texts always
    give the same cases with the same ids, and an edit elsewhere in the texts leaves both alone.
    """
    asked = {_key(case.prompt) for case in existing}
    ids = set(taken)
    drafts = []
    for each in (*_positives(package), *_unrelated(package), *_confusions(package, siblings)):
        if _key(each.prompt) not in asked and each.id not in ids:
            asked.add(_key(each.prompt))
            ids.add(each.id)
            drafts.append(each)
    return Drafting(tuple(drafts), tuple(_shortfalls(drafts, existing)))


def render(drafts: Iterable[Draft]) -> bytes:
    """The drafts as an eval file of our format, with a head that says what they are worth."""
    return (_HEAD + "cases:\n" + "\n".join(_section(drafts))).encode()


_HEAD = f"""\
format: {EVALS}
# Written by `selftune eval generate` from words alone: the description, tables and headings of the skill and of its
# siblings. No model was asked, and nobody has read it yet. Review each line: correct what no user would say, turn
# `should_trigger` round where it is wrong, delete what is neither.
# Prompts made from the description flatter trigger-recall, for a host chooses by that same description: a pass shows
# that it leads to the skill for those who speak like it. Replace them by what your users really say.
# Nothing here checks an outcome; add `checks:` to measure what the skill achieves.
"""


def explicit(package: Package) -> Draft:
    """The mention of a skill by its name."""
    return _draft("explicit", f"Use the {printable(package.name)} skill.", True, "From its name")


def _positives(package: Package) -> Iterator[Draft]:
    yield explicit(package)
    for drawn in _chosen(package):
        yield _draft("implicit", drawn.prompt, True, f"From its {drawn.source}")


def _chosen(package: Package) -> list[Drawn]:
    """What was drawn, each prompt once; headings only where little else was, and of too many those that the name decides."""
    unique = {_key(drawn.prompt): drawn for drawn in reversed(list(drawn_prompts(package)))}
    found = list(reversed(unique.values()))
    telling = [drawn for drawn in found if drawn.source != "heading"]
    others = _seeded(package, [drawn for drawn in found if drawn.source == "heading"])
    kept = {drawn.prompt for drawn in (*_seeded(package, telling)[:DRAWN_MOST], *others[: max(0, DECIDABLE - 1 - len(telling))])}
    return [drawn for drawn in found if drawn.prompt in kept]


def _seeded(package: Package, drawn: Iterable[Drawn]) -> list[Drawn]:
    """In an order that the package's name gives each prompt on its own: one more or less leaves the others where they are."""
    return sorted(drawn, key=lambda each: text_digest(f"{package.name}\n{each.prompt}"))


def _unrelated(package: Package) -> Iterator[Draft]:
    own = stem_set(_topic(package))
    free = [case for case in OTHER_BUSINESS if not stem_set(case.prompt) & own]
    free.sort(key=lambda case: text_digest(f"{package.name}\n{case.prompt}"))
    for case in sorted(free[:UNRELATED_MOST], key=lambda case: case.id):
        yield Draft(f"negative-{case.id}", "negative", case.prompt, False, "Other business")


def _confusions(package: Package, siblings: Sequence[Package]) -> Iterator[Draft]:
    own = stem_set(_topic(package))
    for sibling in siblings[:SIBLINGS_MOST]:
        # Of what a sibling is asked for, the prompt with the most words of this skill is the likeliest mistake.
        closest = sorted(_chosen(sibling), key=lambda drawn: (-len(stem_set(drawn.prompt) & own), drawn.prompt))
        for prompt in (explicit(sibling).prompt, *(drawn.prompt for drawn in closest[:1])):
            yield _draft(
                "sibling",
                prompt,
                False,
                f"What is asked of its sibling {printable(sibling.name)}, by name and else; where both may answer, delete it",
            )


def _draft(kind: Kind, prompt: str, should_trigger: bool, source: str) -> Draft:
    return Draft(f"{kind}-{derived_id(prompt)}", kind, prompt, should_trigger, source)


def _topic(package: Package) -> str:
    return f"{package.name} {package.skill.description[:DRAFTED_TEXT_CHARACTERS]}"


def _key(prompt: str) -> str:
    return " ".join(prompt.casefold().split())


def _shortfalls(drafts: Sequence[Draft], existing: Collection[Case]) -> Iterator[str]:
    for wanted, kind in ((True, "should trigger the skill"), (False, "should leave it alone")):
        made = sum(draft.should_trigger is wanted for draft in drafts)
        count = made + sum(case.should_trigger is wanted for case in existing)
        if count < DECIDABLE:
            yield (
                f"its texts yield only {made} case{'' if made == 1 else 's'} that {kind}, and fewer than {DECIDABLE} "
                f"decide no gate: write {DECIDABLE - count} more, in the words of your users"
            )


def _section(drafts: Iterable[Draft]) -> Iterator[str]:
    source = ""
    for each in drafts:
        if each.source != source:
            source = each.source
            yield f"  # {source}."
        yield (
            f"  - id: {each.id}\n    prompt: {_quoted(each.prompt)}\n    should_trigger: {str(each.should_trigger).lower()}\n"
            f"    tags: [generated, {each.kind}]"
        )
    yield ""


def _quoted(text: str) -> str:
    """A double-quoted scalar. Prompts are printable, so what JSON escapes is what YAML escapes."""
    return json.dumps(text, ensure_ascii=False)
