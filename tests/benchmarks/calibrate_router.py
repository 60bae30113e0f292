"""Measure the embedded router on public trigger cases: `python tests/benchmarks/calibrate_router.py FOLDER…`.

Each FOLDER is a checkout of a collection of skills (SKILL.md files and any JSON, JSON Lines or YAML that pairs prompts with
`should_trigger`, `expected_skill`, `expect` or a skill-invocation grader). Nothing of them is stored. Every skill is judged
on its own, as the router scores it, so the figures do not depend on what else is staged.
"""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from selftune_build.agents.embedded import router
from selftune_build.agents.protocol import StagedSkill
from tests.benchmarks.public_skills import PublicSkill, TriggerCase, read_cases, read_skills

CASES_PER_SKILL = 12
"""A collection with many prompts for one skill must not outweigh the others."""
STRANGERS_PER_PROMPT = 10
STEP = 0.05
UNRELATED_LEFT_ALONE = 0.97
"""The least share of unrelated pairs without activation: a skill meets dozens of prompts that are none of its business."""


class Scored(Struct, frozen=True):
    """The scores of one class of cases, by collection."""

    by_collection: dict[str, list[float]]

    def reaching(self, threshold: float) -> float:
        """The share that reaches the threshold, every collection counted alike."""
        shares = [sum(score >= threshold for score in scores) / len(scores) for scores in self.by_collection.values()]
        return sum(shares) / len(shares) if shares else 0.0

    @property
    def cases(self) -> int:
        """How many cases there are."""
        return sum(map(len, self.by_collection.values()))


def without_mentions(cases: Iterable[TriggerCase]) -> list[TriggerCase]:
    """The cases that the score decides: those whose prompt does not name the skill."""
    return [case for case in cases if router._mentions((case.skill.name,), case.prompt) == (None, frozenset())]


def sampled(cases: Iterable[TriggerCase], chance: random.Random) -> list[TriggerCase]:
    """At most `CASES_PER_SKILL` cases of each skill and polarity."""
    groups: dict[tuple[str, bool], list[TriggerCase]] = defaultdict(list)
    for case in cases:
        groups[case.skill.folder, case.wanted].append(case)
    return [case for _, group in sorted(groups.items()) for case in chance.sample(group, min(len(group), CASES_PER_SKILL))]


def strangers(wanted: Sequence[TriggerCase], skills: Sequence[PublicSkill], chance: random.Random) -> list[TriggerCase]:
    """The same prompts with skills of other collections: what a prompt meets among unrelated skills."""
    others = {
        name: [skill for skill in skills if skill.collection != name] for name in {case.skill.collection for case in wanted}
    }
    return [
        TriggerCase(skill, case.prompt, False)
        for case in wanted
        for skill in chance.sample(others[case.skill.collection], STRANGERS_PER_PROMPT)
    ]


def scored(cases: Iterable[TriggerCase]) -> Scored:
    """Every case scored by the router."""
    found: dict[str, list[float]] = defaultdict(list)
    for case in cases:
        skill = StagedSkill(case.skill.name, case.skill.description)
        found[case.skill.collection].append(router.scores((skill,), case.prompt)[skill.name])
    return Scored(dict(found))


def main() -> None:
    """Print the table and, of the thresholds that leave unrelated pairs alone, the one with the best balanced accuracy."""
    folders = [Path(argument) for argument in sys.argv[1:]]
    skills = read_skills(folders)
    chance = random.Random(0)
    cases = sampled(without_mentions(read_cases(folders, skills)), chance)
    wanted = [case for case in cases if case.wanted]
    positive, near = scored(wanted), scored(case for case in cases if not case.wanted)
    far = scored(strangers(wanted, skills, chance))
    print(f"{len(skills)} skills; {positive.cases} prompts for a skill, {near.cases} near misses, {far.cases} unrelated pairs\n")
    print("| threshold | recall | near misses left alone | unrelated left alone | balanced accuracy |")
    print("|---|---|---|---|---|")
    best = (0.0, 0.0)
    for step in range(2, 21):
        threshold = round(step * STEP, 2)
        recall, left, unrelated = positive.reaching(threshold), 1 - near.reaching(threshold), 1 - far.reaching(threshold)
        accuracy = (recall + (left + unrelated) / 2) / 2
        if round(unrelated, 3) >= UNRELATED_LEFT_ALONE:
            best = max(best, (round(accuracy, 3), threshold))
        print(f"| {threshold:.2f} | {recall:.3f} | {left:.3f} | {unrelated:.3f} | {accuracy:.3f} |")
    print(f"\nbest: {best[1]:.2f} (balanced accuracy {best[0]:.3f}); in use: {router.THRESHOLD}")


if __name__ == "__main__":
    main()
