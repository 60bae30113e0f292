"""What earlier answers have cost, to tell what those to come will."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal

from selftune_build.engine.package_run import PackageRun
from selftune_build.errors import StoreError
from selftune_build.limits import PRICED_KEYS


def recorded_costs(runs: Sequence[PackageRun]) -> list[Decimal]:
    """What answers of this agent to questions of these packages have cost, where it told; of a bounded number of questions.

    What cannot be read tells no price: it is no reason to refuse a build that does not need it.
    """
    specs = {spec.key: spec for run in runs for spec in run.specs if not spec.case.is_script}
    for spec in list(specs.values())[:PRICED_KEYS]:
        with suppress(StoreError):
            runs[0].evidence.samples(spec)
    return list(runs[0].evidence.costs)
