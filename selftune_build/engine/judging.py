"""From counted samples to the row of the lock: every check on every sample, nothing stored that can be derived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from selftune_build.checks.context import NOTHING_SUPPLIED, CheckContext, Execute, Supplied
from selftune_build.checks.graders import grader_files
from selftune_build.checks.registry import Summary, canonical, check_id, judge, summary
from selftune_build.engine.evidence import evidence_digest
from selftune_build.fingerprint.digest import ABSENT
from selftune_build.fingerprint.facets import file_facet
from selftune_build.fingerprint.keys import Inputs, row_inputs, row_key
from selftune_build.fingerprint.staged import digests_of
from selftune_build.graph.cohorts import Counted
from selftune_build.graph.targets import address
from selftune_build.model.case import Arm, Check
from selftune_build.model.lock import Row
from selftune_build.model.report import Failure
from selftune_build.model.sample import Sample
from selftune_build.model.verdict import CheckResult
from selftune_build.stages.row import RowSpec

Judged = tuple[tuple[Check, CheckResult], ...]


class Judgement(Struct, frozen=True):
    """A row and the checks that failed behind it."""

    row: Row
    failures: tuple[Failure, ...]
    always: tuple[Check, ...] = ()
    """Checks that held in every sample."""


def inputs_today(spec: RowSpec, observed: Sequence[str]) -> Inputs:
    """What the row of today depends on, given what its samples observed."""
    digests = digests_of(observed, spec.staged.today) if observed else {}
    return row_inputs(spec.key, digests, [_canonical(spec, check) for check in spec.checks], spec.polarity)


def _canonical(spec: RowSpec, check: Check) -> dict[str, Any]:
    if not check.files:
        return canonical(check)
    digests = {file.path: file_facet(file) for file in grader_files(spec.package.tree, check.files)}
    return {**canonical(check), "files": dict.fromkeys(check.files, ABSENT) | digests}


def holds_today(spec: RowSpec, row: Row) -> bool:
    """Whether a row of the lock belongs to exactly what is asked and judged today."""
    if spec.case.observe_package and f"{spec.package.name}:*" not in row.observed and spec.arm is not Arm.WITHOUT_SKILL:
        return False
    return row.key == row_key(inputs_today(spec, row.observed))


def judge_row(
    spec: RowSpec, counted: Counted, execute: Execute | None, supplied: Mapping[str, Supplied] = NOTHING_SUPPLIED
) -> Judgement:
    """Judge every counted sample. `execute` None means that commands of checks must not run (`--no-exec`)."""
    judged = [judge_sample(spec, sample, execute, supplied) for sample in counted.samples]
    row = Row(
        key=row_key(inputs_today(spec, counted.observed)),
        observed=counted.observed,
        n=len(counted.samples),
        evidence=evidence_digest(counted.samples),
        triggered=_triggered(spec, counted.samples),
        passed=_passed(spec, counted.samples, judged),
    )
    return Judgement(row, _failures(spec, counted.samples, judged), always_held(judged))


def judge_sample(
    spec: RowSpec, sample: Sample, execute: Execute | None, supplied: Mapping[str, Supplied] = NOTHING_SUPPLIED
) -> Judged:
    """Each check of the row on one sample; `supplied` judges the checks of plugins."""
    context = CheckContext(
        package_name=spec.package.name,
        arm=spec.arm,
        case_files=spec.case.files,
        allow_exec=execute is not None,
        execute=execute,
        supplied=supplied,
    )
    return tuple((check, judge(check, sample.transcript, context)) for check in spec.checks)


def activated(spec: RowSpec, sample: Sample) -> bool | None:
    """Whether the package under test was activated in this sample; None where the agent does not tell.

    A sample that hit its limit is a failed one, so it counts as whatever the case does not want.
    """
    if sample.transcript.limit:
        return spec.polarity is False
    used = sample.transcript.reply.skills_used
    return None if used is None else spec.package.name in used


def _triggered(spec: RowSpec, samples: Sequence[Sample]) -> int | UnsetType:
    if spec.arm is not Arm.WITH_SKILL:
        return UNSET
    seen = [activated(spec, sample) for sample in samples]
    return UNSET if None in seen else sum(map(bool, seen))


def _passed(spec: RowSpec, samples: Sequence[Sample], judged: Sequence[Judged]) -> int | UnsetType:
    if not spec.checks:
        return UNSET
    held = 0
    for sample, results in zip(samples, judged, strict=True):
        if sample.transcript.limit:
            continue
        outcome = summary([result for _, result in results])
        if outcome is Summary.UNDECIDED:
            return UNSET
        held += outcome is Summary.HELD
    return held


def _failures(spec: RowSpec, samples: Sequence[Sample], judged: Sequence[Judged]) -> tuple[Failure, ...]:
    target = address(spec.package.handle, spec.stage, spec.case.id)
    failures = [
        Failure(target, check_id(check), _first(column), sum(result.held is not True for result in column), len(column))
        for position, check in enumerate(spec.checks)
        if any(column := [results[position][1] for results in judged]) and any(result.held is not True for result in column)
    ]
    failures += _wrong_trigger(spec, samples, target)
    limited = sum(sample.transcript.limit for sample in samples)
    if limited:
        failures.append(Failure(target, "limit", "the time limit was reached twice", limited, len(samples)))
    return tuple(failures)


def always_held(judged: Sequence[Judged]) -> tuple[Check, ...]:
    """The checks that held in all of at least one sample."""
    columns = zip(*judged, strict=True)
    return tuple(column[0][0] for column in columns if all(result.held for _, result in column))


def _first(results: Sequence[CheckResult]) -> str:
    return next(result.evidence for result in results if result.held is not True)


def _wrong_trigger(spec: RowSpec, samples: Sequence[Sample], target: str) -> list[Failure]:
    if spec.polarity is None or spec.arm is not Arm.WITH_SKILL:
        return []
    wrong = [sample for sample in samples if activated(spec, sample) is (not spec.polarity)]
    if not wrong:
        return []
    used = ", ".join(wrong[0].transcript.reply.skills_used or ()) or "none"
    label = "should trigger" if spec.polarity else "should not trigger"
    return [Failure(target, label, f"skills used: {used}", len(wrong), len(samples))]
