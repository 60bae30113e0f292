"""What many cases have in common, said once: problems and failed checks of one stage that differ in nothing but the case."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from selftune_build.graph.targets import without_case
from selftune_build.limits import SHOWN_CASES
from selftune_build.model.report import Failure, Problem
from selftune_build.report.cells import name, sentence
from selftune_build.wording import listed

_Item = TypeVar("_Item", Problem, Failure)


def grouped(items: Iterable[_Item], key: Callable[[_Item], Hashable]) -> list[list[_Item]]:
    """The items with equal keys together, groups and members in their first order."""
    groups: dict[Hashable, list[_Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())


def same_problem(problem: Problem) -> Hashable:
    """Equal for problems that are told in one entry."""
    return problem.code, problem.message, without_case(problem.target)


def same_failure(failure: Failure) -> Hashable:
    """Equal for failed checks that are told in one entry: what was seen is the same, whatever was looked for in it."""
    return failure.evidence, failure.measured, without_case(failure.target)


def subject(targets: Sequence[str]) -> str:
    """The only target, or how many cases of which stage and the first of them. Safe to show."""
    unique = list(dict.fromkeys(targets))
    if len(unique) == 1:
        return name(unique[0])
    stage = without_case(unique[0])
    cases = [name(target[len(stage) :].removeprefix("[").removesuffix("]")) for target in unique]
    return f"{len(cases)} cases of {name(stage)}: {listed(cases, SHOWN_CASES)}"


def common_fix(problems: Sequence[Problem]) -> str | None:
    """The one fix of a group: what all of them say, or what they say of their case said of the stage; else that of the first."""
    first = problems[0].fix
    if len({problem.fix for problem in problems}) == 1 or first is None:
        return first
    stage = shlex.quote(without_case(problems[0].target))
    wider = {problem.fix and problem.fix.replace(shlex.quote(problem.target), stage) for problem in problems}
    return wider.pop() if len(wider) == 1 else first


def samples_of(failures: Sequence[Failure]) -> tuple[int, int]:
    """In how many samples of a group something failed, at least, and how many there are: several checks share those of a case."""
    failed, total = dict[str, int](), dict[str, int]()
    for failure in failures:
        failed[failure.target] = max(failed.get(failure.target, 0), failure.failed)
        total[failure.target] = failure.n
    return sum(failed.values()), sum(total.values())


def checks_of(failures: Sequence[Failure]) -> str:
    """The first check of a group, and how many other ones there are. Safe to show."""
    checks = list(dict.fromkeys(failure.check for failure in failures))
    return sentence(checks[0]) + (f" and {len(checks) - 1} more" if len(checks) > 1 else "")
