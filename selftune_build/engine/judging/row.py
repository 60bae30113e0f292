"""From counted samples to the row of the lock: every check on every sample, nothing stored that can be derived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from selftune_build.checks.context import NOTHING_SUPPLIED, Execute, Supplied
from selftune_build.checks.graders import grader_files
from selftune_build.checks.registry import Summary, canonical, check_id, judge, judge_instructions, needs_judge, summary
from selftune_build.engine.judging.evidence import evidence_digest
from selftune_build.engine.judging.judge import Judge, context_of, other_of
from selftune_build.fingerprint.digest import ABSENT
from selftune_build.fingerprint.facets import file_facet
from selftune_build.fingerprint.keys import NO_JUDGE, Inputs, judge_inputs, row_inputs, row_key
from selftune_build.fingerprint.staged import digests_of
from selftune_build.graph.cohorts import Counted
from selftune_build.graph.targets import address
from selftune_build.model.case import Arm, Check
from selftune_build.model.lock import Row
from selftune_build.model.report import Agreement, Failure
from selftune_build.model.sample import Sample
from selftune_build.model.verdict import CheckResult
from selftune_build.stages.row import RowSpec

Judged = tuple[tuple[Check, CheckResult], ...]


class Judgement(Struct, frozen=True):
    """A row, the checks that failed behind it, and how far the votes of a judge agreed."""

    row: Row
    failures: tuple[Failure, ...]
    always: tuple[Check, ...] = ()
    """Checks that held in every sample."""
    agreements: tuple[Agreement, ...] = ()


class Bench(Struct, frozen=True):
    """What decides checks that need a judge: it, and the samples without the skill that those with it are compared with."""

    judge: Judge | None = None
    others: tuple[Sample, ...] = ()


NO_BENCH = Bench()


def inputs_today(spec: RowSpec, observed: Sequence[str]) -> Inputs:
    """What the row of today depends on, given what its samples observed."""
    digests = digests_of(observed, spec.staged.today) if observed else {}
    return row_inputs(spec.key, digests, [_canonical(spec, check) for check in spec.checks], spec.polarity, _judge(spec))


def _judge(spec: RowSpec) -> Inputs:
    if spec.judge is None:
        return NO_JUDGE
    told = [judge_instructions(check.kind) for check in spec.checks if needs_judge(check.kind)]
    return judge_inputs(
        spec.judge.identity, spec.judge.votes, told, refuses_family=spec.judge.refuses_family, baseline=spec.baseline
    )


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
    spec: RowSpec,
    counted: Counted,
    execute: Execute | None,
    supplied: Mapping[str, Supplied] = NOTHING_SUPPLIED,
    bench: Bench = NO_BENCH,
) -> Judgement:
    """Judge every counted sample. `execute` None means that commands of checks must not run (`--no-exec`)."""
    judged = judge_samples(spec, counted.samples, execute, supplied, bench)
    row = Row(
        key=row_key(inputs_today(spec, counted.observed)),
        observed=counted.observed,
        n=len(counted.samples),
        evidence=evidence_digest(counted.samples),
        triggered=_triggered(spec, counted.samples),
        passed=_passed(spec, counted.samples, judged),
    )
    failures = _failures(spec, counted.samples, judged)
    return Judgement(row, failures, always_held(judged), _agreements(spec, judged))


def judge_samples(
    spec: RowSpec,
    samples: Sequence[Sample],
    execute: Execute | None,
    supplied: Mapping[str, Supplied] = NOTHING_SUPPLIED,
    bench: Bench = NO_BENCH,
) -> list[Judged]:
    """Each check of the row on each sample; `supplied` judges those of plugins. No judge is asked: its votes are there."""
    judged = []
    for position, sample in enumerate(samples):
        rule = bench.judge.rule(spec, sample) if bench.judge is not None else None
        context = replace(
            context_of(spec, rule, other_of(bench.others, position)),
            allow_exec=execute is not None,
            execute=execute,
            supplied=supplied,
        )
        judged.append(tuple((check, judge(check, sample.transcript, context)) for check in spec.checks))
    return judged


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
        _failure(target, check, column)
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


def _agreements(spec: RowSpec, judged: Sequence[Judged]) -> tuple[Agreement, ...]:
    """Of each check that a judge decided."""
    columns = ((check, [results[position][1] for results in judged]) for position, check in enumerate(spec.checks))
    ruled = ((check, [result for result in column if result.votes]) for check, column in columns)
    return tuple(_agreement(spec, check, results) for check, results in ruled if results)


def _agreement(spec: RowSpec, check: Check, results: Sequence[CheckResult]) -> Agreement:
    target = address(spec.package.handle, spec.stage, spec.case.id)
    votes, agreeing = sum(result.votes for result in results), sum(result.agreeing for result in results)
    return Agreement(target, spec.arm.value, check_id(check), len(results), votes, agreeing)


def _failure(target: str, check: Check, results: Sequence[CheckResult]) -> Failure:
    """With the evidence of the first sample that fails it, else of the first on which it was not measured."""
    open_results = [result for result in results if result.held is not True]
    first = next((result for result in open_results if result.held is False), open_results[0])
    return Failure(target, check_id(check), first.evidence, len(open_results), len(results), first.held is False)


def _wrong_trigger(spec: RowSpec, samples: Sequence[Sample], target: str) -> list[Failure]:
    if spec.polarity is None or spec.arm is not Arm.WITH_SKILL:
        return []
    wrong = [sample for sample in samples if activated(spec, sample) is (not spec.polarity)]
    if not wrong:
        return []
    used = ", ".join(wrong[0].transcript.reply.skills_used or ()) or "none"
    label = "should trigger" if spec.polarity else "should not trigger"
    return [Failure(target, label, f"skills used: {used}", len(wrong), len(samples))]
