"""The mutator `targeted`: the description, from prompts that were missed, stolen by a sibling, or answered by mistake.

Without a model it adds the words that those prompts have and the description lacks. With one (`mutators.targeted_question`)
it proposes what the model writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selftune_build.escape import one_line
from selftune_build.limits import CANDIDATE_REASON_CHARACTERS, MUTATED_CASES
from selftune_build.model.package import SKILL_FILE
from selftune_build.mutators.frontmatter import with_description
from selftune_build.mutators.protocol import CaseEvidence, Consultation, Edit, Mutator, Overlay, PackageView
from selftune_build.mutators.targeted_question import ask, written
from selftune_build.mutators.telling import told
from selftune_build.mutators.words import stems_of, telling_words
from selftune_build.reading.skill import read_skill

WORDS, WORDS_TOGETHER = 4, 12
"""So many words are added for one case, and for all of them."""
METADATA = frozenset({"metadata"})


def propose(view: PackageView, evidence: tuple[CaseEvidence, ...], seed: int) -> Iterator[Overlay]:
    """One overlay for all missed prompts, one for each, one for those that are not its business, and one for both.

    The seed decides which single case comes first.
    """
    seen = {""}
    for clause, cases in _clauses(view, evidence, seed):
        if clause not in seen:
            seen.add(clause)
            yield from described(view, f"{_description(view)} {clause}", f"{told(cases)}: adds {clause!r}")


def _clauses(view: PackageView, evidence: Sequence[CaseEvidence], seed: int) -> Iterator[tuple[str, list[CaseEvidence]]]:
    """What to add, and for which cases; empty where they have nothing to give."""
    missed, intruded = [case for case in evidence if case.missed], [case for case in evidence if case.intruded]
    foreign, own = _foreign(view, evidence), stems_of(case.prompt for case in evidence if case.should_trigger)
    wider = _clause("Also for", view, missed, foreign, WORDS_TOGETHER)
    narrower = _clause("Not for", view, intruded, own, WORDS)
    yield wider, missed
    yield f"{wider} {narrower}" if wider and narrower else "", [*missed, *intruded]
    first = seed % len(missed) if missed else 0
    for case in [*missed[first:], *missed[:first]][:MUTATED_CASES]:
        yield _clause("Also for", view, [case], foreign, WORDS), [case]
    yield narrower, intruded


def described(view: PackageView, description: str, reason: str) -> Iterator[Overlay]:
    """The overlay that gives the skill this description; none where that cannot be done or changes nothing."""
    content = with_description(view.files[SKILL_FILE], view.name, description)
    if content is not None and description.split() != _description(view).split():
        yield Overlay((Edit(SKILL_FILE, content),), view.tree, one_line(reason, CANDIDATE_REASON_CHARACTERS), METADATA)


def from_answers(
    view: PackageView, evidence: tuple[CaseEvidence, ...], seed: int, answers: tuple[object, ...]
) -> Iterator[Overlay]:
    """The descriptions that a model wrote."""
    for description, reason in written(answers):
        yield from described(view, description, reason)


def _clause(start: str, view: PackageView, cases: Sequence[CaseEvidence], foreign: frozenset[str], most: int) -> str:
    """`Also for milk, espresso.`; empty where the prompts have no word that the description lacks."""
    known = stems_of((view.name, _description(view)))
    prompts = [case.prompt for case in cases]
    words = telling_words(prompts, known | foreign, most)
    return f"{start} {', '.join(words)}." if words else ""


def _foreign(view: PackageView, evidence: Sequence[CaseEvidence]) -> frozenset[str]:
    """Words of prompts that are not its business, and of what its siblings say that they do."""
    return stems_of((*(case.prompt for case in evidence if case.should_trigger is False), *view.siblings.values()))


def _description(view: PackageView) -> str:
    return read_skill(view.files[SKILL_FILE], SKILL_FILE, view.name).skill.description.strip()


TARGETED = Mutator(
    "targeted",
    propose,
    summary="the description: words of prompts that were missed, stolen, or answered by mistake",
    consult=Consultation(ask, from_answers),
)
