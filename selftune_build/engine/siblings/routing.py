"""Which skill the prompts of a package went to: its own, another one that stole them, or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from selftune_build.engine.judging.row import activated
from selftune_build.engine.package_run import PackageRun
from selftune_build.graph.targets import Stage, address
from selftune_build.model.case import Arm
from selftune_build.model.lock import Row
from selftune_build.model.sample import Sample
from selftune_build.model.statistics import Routing, Stolen
from selftune_build.stages.row import RowSpec


def routing_of(run: PackageRun, rows: Mapping[str, Mapping[str, Row]], *, samples: bool) -> Routing | None:
    """From the counts of the rows; with `samples` those of rows in which the skill was not always used are looked at, too."""
    told = list(_told(run, rows))
    if not told:
        return None
    total, own = sum(row.n for _, row, _ in told), sum(triggered for *_, triggered in told)
    others: Counter[str] = Counter()
    stolen, none, unknown = [], 0, 0
    for spec, row, triggered in told:
        missed = row.n - triggered
        strangers = instead_of(run, spec, missed) if samples else []
        by = Counter(name for used in strangers for name in used)
        taken = sum(map(bool, strangers))
        others += by
        none += len(strangers) - taken
        unknown += missed - len(strangers)
        if by:
            stolen.append(Stolen(address(spec.package.handle, spec.stage, spec.case.id), row.n, dict(sorted(by.items()))))
    return Routing(total, own, dict(sorted(others.items())), none, unknown, tuple(stolen))


def _told(run: PackageRun, rows: Mapping[str, Mapping[str, Row]]) -> Iterator[tuple[RowSpec, Row, int]]:
    for spec in run.specs:
        row = rows.get(spec.case.id, {}).get(Arm.WITH_SKILL)
        if (
            spec.stage is Stage.REPLAY
            and spec.polarity
            and run.wants(spec)
            and row is not None
            and isinstance(row.triggered, int)
        ):
            yield spec, row, row.triggered


def instead_of(run: PackageRun, spec: RowSpec, missed: int) -> list[tuple[str, ...]]:
    """The skills used in each sample in which the own one was not; empty where the store does not have what the row counts."""
    if not missed:
        return []
    found = [used_instead(spec, sample) for sample in run.evidence.counted(spec).samples if activated(spec, sample) is False]
    return found if len(found) == missed else []


def used_instead(spec: RowSpec, sample: Sample) -> tuple[str, ...]:
    """Other skills that were used in a sample; none where the package under test was."""
    used = sample.transcript.reply.skills_used or ()
    return () if spec.package.name in used else tuple(dict.fromkeys(used))
