"""A row as a stage declares it: one case under one arm, what it is asked and how it is judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct

from selftune_build.checks.registry import applies, compares, needs_judge
from selftune_build.fingerprint.digest import digest_json
from selftune_build.fingerprint.keys import Inputs, Question, static_inputs, static_key
from selftune_build.fingerprint.staged import Record, facet_names, facet_record, shown_record, tree_record
from selftune_build.graph.targets import Stage
from selftune_build.model.case import Arm, Case, Check, Profile
from selftune_build.model.package import Package


class StagedSet:
    """Packages that are staged together, with the records and digests that name them. Computed once, shared by many rows."""

    def __init__(self, packages: Iterable[Package]) -> None:
        self.packages = {package.name: package for package in packages}

    @cached_property
    def shown_today(self) -> Record:
        """What a host shows of them before activation, as a record."""
        return shown_record(self.packages.values())

    @cached_property
    def shown(self) -> str:
        """Digest of what a host shows of them before activation."""
        return digest_json(self.shown_today)

    @cached_property
    def tree(self) -> str:
        """Digest of the tree record: names the cohort of a sample staged now."""
        return digest_json(tree_record(self.packages.values()))

    @cached_property
    def today(self) -> dict[str, str]:
        """Digest of today for every facet name."""
        names: dict[str, str] = {}
        for package in self.packages.values():
            names.update(facet_names(package.name, facet_record(package.facets)))
        return names

    def records(self) -> dict[str, Record]:
        """Every record a sample of this set refers to, by digest."""
        facets = {digest_json(record): record for record in (facet_record(p.facets) for p in self.packages.values())}
        return {**facets, self.shown: self.shown_today, self.tree: tree_record(self.packages.values())}


class JudgedBy(Struct, frozen=True):
    """Who rules on what needs a judge: all of it that keys cover."""

    identity: dict[str, Any]
    """Identity of the judge, the model asked for included."""
    votes: int = 1
    refuses_family: bool = False
    """Rulings of a model of the agent's own family do not count."""


class RowSpec(Struct, frozen=True):
    """What a stage makes: evidence for one case under one arm."""

    package: Package
    stage: Stage
    case: Case
    arm: Arm
    staged: StagedSet
    asked: Question | Inputs
    """What is asked. A question is only taken apart where somebody wants to see it: each row would hold as much again."""
    key: str
    checks: tuple[Check, ...]
    polarity: bool | None
    needed: int
    """Samples that suffice."""
    profile: Profile = "package"
    judge: JudgedBy | None = None
    """None where no check needs one, and where there is none."""
    baseline: str = ""
    """Evidence of the row without the skill that this one is compared with; empty where it is not, or not known yet."""

    @property
    def inputs(self) -> Inputs:
        """Everything that the static key covers, by name."""
        return static_inputs(self.asked) if isinstance(self.asked, Question) else self.asked

    @property
    def place(self) -> tuple[str, str, str, str]:
        """Which row it is: folder of the package, stage, arm, case."""
        return self.package.path, self.stage.value, self.arm.value, self.case.id

    @property
    def compares(self) -> bool:
        """Whether a check holds its answers against those without the skill."""
        return self.judge is not None and any(map(compares, self.checks))


class Asking(Struct, frozen=True):
    """What every row of one package under one agent shares."""

    package: Package
    agent: dict[str, object]
    """Identity of the agent."""
    model: str | None
    needed: int
    with_skill: StagedSet
    without_skill: StagedSet
    alone: StagedSet
    """The package without competitors: what a script sees."""
    judge: JudgedBy | None = None


def sampled_row(asking: Asking, stage: Stage, case: Case, arm: Arm) -> RowSpec:
    """The row of a case that an agent answers, with the skill staged or without it."""
    staged = asking.with_skill if arm is Arm.WITH_SKILL else asking.without_skill
    limits = case.limits or asking.package.manifest.limits
    profile = profile_of(case, asking.agent)
    question = Question(case=case, limits=limits, agent=asking.agent, skills=staged.shown, profile=profile)
    polarity = case.should_trigger if arm is Arm.WITH_SKILL else None
    return _row(asking, stage, case, arm, staged, question, polarity, asking.needed)


def profile_of(case: Case, agent: Mapping[str, object]) -> Profile:
    """`routing` where the only question is whether the skill triggers and the agent, by its identity, can stop there."""
    profiles = agent.get("profiles")
    only_triggers = case.should_trigger is not None and not case.checks
    return "routing" if only_triggers and isinstance(profiles, dict) and "routing" in profiles else "package"


def script_row(asking: Asking, case: Case) -> RowSpec:
    """The row of a case that runs a script of the package."""
    question = Question(case=case, limits=case.limits or asking.package.manifest.limits, package=asking.package.name)
    return _row(asking, Stage.UNIT_TESTS, case, Arm.SCRIPT, asking.alone, question, None, 1)


def _row(
    asking: Asking, stage: Stage, case: Case, arm: Arm, staged: StagedSet, question: Question, polarity: bool | None, needed: int
) -> RowSpec:
    checks = tuple([check for check in case.checks if applies(check, arm)])
    key = static_key(static_inputs(question))
    judge = asking.judge if any(needs_judge(check.kind) for check in checks) else None
    return RowSpec(asking.package, stage, case, arm, staged, question, key, checks, polarity, needed, question.profile, judge)
