"""What the same cases take with and without the skill, from the archives of the store; never in a lock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from selftune_build.engine.package_run import PackageRun
from selftune_build.model.case import Arm
from selftune_build.model.sample import Sample
from selftune_build.model.statistics import Efficiency, Effort

FIELDS = ("input_tokens", "output_tokens", "cost_usd", "turns", "tool_calls", "seconds")


def efficiency_of(run: PackageRun) -> Efficiency | None:
    """Over the cases with samples in both arms; None where there is no such case."""
    by_case: dict[str, dict[Arm, Sequence[Sample]]] = {}
    for spec in run.specs:
        if spec.arm is not Arm.SCRIPT and run.wants(spec):
            by_case.setdefault(spec.case.id, {})[spec.arm] = run.evidence.counted(spec).samples
    pairs = [arms for arms in by_case.values() if arms.get(Arm.WITH_SKILL) and arms.get(Arm.WITHOUT_SKILL)]
    if not pairs:
        return None
    arms = [_effort([pair[arm] for pair in pairs]) for arm in (Arm.WITH_SKILL, Arm.WITHOUT_SKILL)]
    return Efficiency(len(pairs), *arms)


def _effort(cases: Sequence[Sequence[Sample]]) -> Effort:
    """Means over the cases of the means over their samples, each field over what tells it."""
    told = [[_taken(sample) for sample in samples] for samples in cases]
    means = {field: _mean([_mean([each[field] for each in samples]) for samples in told]) for field in FIELDS}
    return Effort(samples=sum(map(len, cases)), **means)


def _taken(sample: Sample) -> dict[str, float | None]:
    reply, milliseconds = sample.transcript.reply, sample.transcript.milliseconds
    usage = reply.usage
    return {
        "input_tokens": usage.input_tokens if usage else None,
        "output_tokens": usage.output_tokens if usage else None,
        "cost_usd": float(Decimal(usage.cost_usd)) if usage and not usage.unpriced else None,
        "turns": usage.turns if usage else None,
        "tool_calls": len(reply.tool_calls) if reply.tool_calls is not None else None,
        "seconds": milliseconds / 1000 if milliseconds is not None else None,
    }


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    from statistics import fmean

    return fmean(known) if known else None
