"""A family of skills and their claims: each one's prompts, answered with the whole family staged."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from selftune_build.engine.load import Universe
from selftune_build.engine.siblings.competitors import competitors
from selftune_build.engine.siblings.composing import Composition, Shift, composition
from selftune_build.engine.siblings.overlap import Claim, share_of
from selftune_build.engine.siblings.side_by_side import Seen, Setting
from selftune_build.errors import UsageError
from selftune_build.model.case import Case
from selftune_build.model.package import Package


class Pairing(Struct, frozen=True):
    """The settings that show what siblings do to a skill: it alone, and with each of them."""

    skill: Package
    siblings: tuple[Package, ...]
    settings: tuple[Setting, ...]


def family(universe: Universe, members: Sequence[Package]) -> list[Setting]:
    """For each member its own prompts with the others and its competitors staged: where these are all siblings, exactly as
    `replay` stages them. Raises UsageError for fewer than two members or two of one name."""
    if len(members) < 2:
        raise UsageError("a family has at least two skills", hint="name them, or --prefix X- or --skills a,b")
    _refuse_one_name(members)
    return [Setting(package, _beside(universe, package, members), _claimed(package)) for package in members]


def claims(settings: Sequence[Setting], seen: Sequence[Sequence[Seen]]) -> list[Claim]:
    """What was seen of the prompts that each skill claims."""
    return [
        Claim(setting.package.name, each.case.id, each.case.prompt, each.used)
        for setting, cases in zip(settings, seen, strict=True)
        for each in cases
    ]


def pairing(skill: Package, siblings: Sequence[Package], cases: Sequence[Case]) -> Pairing:
    """The skill's cases alone and beside each sibling. Raises UsageError where there is no sibling or two of one name."""
    if not siblings:
        raise UsageError(f"{skill.name} has no sibling here", hint="name one: a package of the same workspace")
    for sibling in siblings:
        _refuse_one_name([skill, sibling])
    return Pairing(
        skill, tuple(siblings), tuple(Setting(skill, beside, tuple(cases)) for beside in ((), *((each,) for each in siblings)))
    )


def compositions(pairs: Pairing, seen: Sequence[Sequence[Seen]], confidence: float) -> list[Composition]:
    """What each sibling changes, by the results of the settings of `pairs`.

    The confidence holds for all siblings together (Bonferroni): of many that change nothing none shall be called a conflict.
    """
    each_confidence = 1 - (1 - confidence) / len(pairs.siblings)
    alone = {each.case.id: each for each in seen[0]}
    found = []
    for sibling, beside in zip(pairs.siblings, seen[1:], strict=True):
        shifts = [_shift(alone[each.case.id], each, sibling) for each in beside]
        found.append(composition(pairs.skill.name, sibling.name, shifts, each_confidence))
    return found


def _shift(alone: Seen, beside: Seen, sibling: Package) -> Shift:
    used = share_of(beside.used, sibling.name)
    return Shift(beside.case.id, beside.case.prompt, alone.held, beside.held, used)


def _claimed(package: Package) -> tuple[Case, ...]:
    return tuple(case for case in package.evals if case.should_trigger is True)


def _beside(universe: Universe, package: Package, members: Sequence[Package]) -> tuple[Package, ...]:
    others = {each.path: each for each in (*competitors(package, universe.siblings), *members) if each.path != package.path}
    return tuple(others[path] for path in sorted(others))


def _refuse_one_name(packages: Sequence[Package]) -> None:
    seen: dict[str, str] = {}
    for package in packages:
        if package.name in seen:
            raise UsageError(
                f"{seen[package.name]} and {package.path} are both called {package.name}, and hosts show one of the two",
                hint="rename one of them",
            )
        seen[package.name] = package.path
