"""Cases whose samples disagree, told from the counts of the rows alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from selftune_build.engine.package_run import PackageRun
from selftune_build.graph.targets import address
from selftune_build.limits import RUNS_FORETOLD
from selftune_build.model.case import Arm
from selftune_build.model.lock import Row
from selftune_build.model.statistics import Flaky
from selftune_build.stages.row import RowSpec
from selftune_build.stats.repeats import holds_always, holds_once


def flaky_cases(run: PackageRun, rows: Mapping[str, Mapping[str, Row]]) -> tuple[Flaky, ...]:
    """Every case of what was asked for that held in some of its samples and not in all; not those without the skill, which
    nobody uses."""
    asked = (spec for spec in run.specs if run.wants(spec) and spec.arm is not Arm.WITHOUT_SKILL)
    return tuple(found for spec in asked for found in flaky_row(spec, rows.get(spec.case.id, {}).get(spec.arm)))


def flaky_row(spec: RowSpec, row: Row | None) -> Iterator[Flaky]:
    """What of one row holds only sometimes: its checks, the use of the skill, both or nothing."""
    if row is None:
        return
    target = address(spec.package.handle, spec.stage, spec.case.id)
    if isinstance(row.passed, int) and 0 < row.passed < row.n:
        yield _flaky(target, "checks", row.passed, row.n)
    if spec.polarity is not None and isinstance(row.triggered, int) and 0 < row.triggered < row.n:
        yield _flaky(target, "trigger", row.triggered if spec.polarity else row.n - row.triggered, row.n)


def _flaky(target: str, what: str, held: int, n: int) -> Flaky:
    runs = range(1, min(n, RUNS_FORETOLD) + 1)
    always, once = (tuple(estimate(held, n, k) for k in runs) for estimate in (holds_always, holds_once))
    return Flaky(target, what, held, n, always, once)
