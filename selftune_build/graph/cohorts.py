"""Which samples count for a row of today (DESIGN section 5).

Samples of one static key that were staged from one tree are a cohort. They stand or fall together: re-running only those
that read a changed file would bias the rate towards the paths that avoid it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from selftune_build.fingerprint.digest import ABSENT
from selftune_build.model.sample import Sample

StagedDigests = Callable[[Sample], Mapping[str, str]]
"""Digest of every facet a sample was staged with, by name."""


class Counted(Struct, frozen=True):
    """The samples that speak for a row, and the union of what their cohorts observed."""

    samples: tuple[Sample, ...]
    observed: tuple[str, ...]


def count(samples: Iterable[Sample], today: Mapping[str, str], staged: StagedDigests) -> Counted:
    """All samples of all fitting cohorts that were staged with today's digests on what those cohorts observed."""
    fitting = [cohort for cohort in _cohorts(samples) if _fits(cohort, today, staged)]
    observed = sorted({name for cohort in fitting for sample in cohort for name in sample.observed})
    kept = [sample for cohort in fitting for sample in cohort if not changed(observed, sample, today, staged)]
    return Counted(tuple(sorted(kept, key=lambda sample: (sample.index, sample.call_id))), tuple(observed))


def changed(names: Iterable[str], sample: Sample, today: Mapping[str, str], staged: StagedDigests) -> list[str]:
    """The names whose digest of today is not the one the sample was staged with."""
    then = staged(sample)
    return [name for name in names if then.get(name, ABSENT) != today.get(name, ABSENT)]


def _cohorts(samples: Iterable[Sample]) -> list[list[Sample]]:
    by_tree: dict[str, list[Sample]] = {}
    for sample in samples:
        by_tree.setdefault(sample.staged_tree, []).append(sample)
    return [by_tree[tree] for tree in sorted(by_tree)]


def _fits(cohort: Sequence[Sample], today: Mapping[str, str], staged: StagedDigests) -> bool:
    return not any(changed(sample.observed, sample, today, staged) for sample in cohort)
