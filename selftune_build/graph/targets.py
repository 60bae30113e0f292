"""Targets and how they are written: `STAGE`, `PACKAGE`, `PACKAGE:STAGE` or `PACKAGE:STAGE[CASE]`."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from selftune_build.errors import UsageError


class Stage(StrEnum):
    """The fixed phases of a package, each after all that it needs."""

    SPEC = "spec"
    EVALS = "evals"
    UNIT_TESTS = "unit-tests"
    REPLAY = "replay"
    BASELINE = "baseline"
    PACKAGE_EVALUATION = "package-evaluation"
    VERIFY = "verify"


NEEDS: dict[Stage, tuple[Stage, ...]] = {
    Stage.SPEC: (),
    Stage.EVALS: (),
    Stage.UNIT_TESTS: (),
    Stage.REPLAY: (Stage.EVALS,),
    Stage.BASELINE: (Stage.EVALS,),
    Stage.PACKAGE_EVALUATION: (Stage.SPEC, Stage.UNIT_TESTS, Stage.REPLAY, Stage.BASELINE),
    Stage.VERIFY: (Stage.PACKAGE_EVALUATION,),
}
"""Which stages of the same package a stage reads."""

AFTER: dict[Stage, tuple[Stage, ...]] = {
    Stage.UNIT_TESTS: (Stage.SPEC,),
    Stage.REPLAY: (Stage.SPEC, Stage.UNIT_TESTS),
    Stage.BASELINE: (Stage.SPEC, Stage.UNIT_TESTS),
}
"""Which stages, where they are asked for as well, are decided before a stage spends anything; it does not read them."""


def with_needs(stages: Iterable[Stage]) -> frozenset[Stage]:
    """The stages and all that they need, in the same package."""
    wanted = set(stages)
    for stage in reversed(Stage):
        if stage in wanted:
            wanted.update(NEEDS[stage])
    return frozenset(wanted)


_EXAMPLE = "write PACKAGE:STAGE[CASE], for example pdf:replay[fill-form]"
_STAGES = {stage.value: stage for stage in Stage}

SAMPLED = (Stage.UNIT_TESTS, Stage.REPLAY, Stage.BASELINE)
"""The stages that are made of rows."""


class Target(Struct, frozen=True, order=True):
    """A node of the graph: one stage of one package, addressed by its folder."""

    package: str
    stage: Stage


class Wanted(Struct, frozen=True):
    """One word of the command line, taken apart; None stands for what was not said."""

    text: str
    package: str | None = None
    stage: Stage | None = None
    case: str | None = None


def parse_target(text: str) -> Wanted:
    """Take a target apart. The case is everything between the first `[` and the last `]`; stage names win over package
    names. Raises UsageError."""
    head, case = _split_case(text)
    if case is None and head in _STAGES:
        return Wanted(text, stage=_STAGES[head])
    package, colon, stage = head.rpartition(":")
    if colon and package and stage in _STAGES:
        return Wanted(text, package=package, stage=_STAGES[stage], case=case)
    if case is not None or not head:
        raise UsageError(f"{text!r} is not a target", hint=_meant(package, stage, case) or _EXAMPLE)
    return Wanted(text, package=head)


def _meant(package: str, stage: str, case: str | None) -> str | None:
    """What to type instead where only the stage is mistyped."""
    from selftune_build.meant import meant  # only who mistypes pays for it

    near = meant(stage, _STAGES)
    return f"did you mean {address(package, _STAGES[near], case)!r}?" if package and near is not None else None


def _split_case(text: str) -> tuple[str, str | None]:
    start = text.find("[")
    if start < 0 or not text.endswith("]"):
        return text, None
    return text[:start], text[start + 1 : -1]


def address(package: str, stage: Stage, case: str | None = None) -> str:
    """How a target or one of its rows is written."""
    return f"{package}:{stage.value}" + (f"[{case}]" if case is not None else "")


def without_case(target: str) -> str:
    """`pdf:replay` of `pdf:replay[a]`."""
    return target.partition("[")[0]


def stage_of(target: str) -> str:
    """`replay` of `pdf:replay` and of `pdf:replay[a]`."""
    return without_case(target).rpartition(":")[2]
