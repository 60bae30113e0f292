"""What no amount of money can settle, known before anything is spent."""

from __future__ import annotations

from selftune_build.engine.package_run import PackageRun
from selftune_build.gates.foresight import Suite, unsettleable


def unsettled(run: PackageRun) -> list[str]:
    """One sentence for each gate that the suite of this package cannot pass whatever it measures."""
    suite = Suite(run.package.evals, run.package.unit_tests, run.measures_outcome)
    return unsettleable(suite, run.package.manifest.gates, run.package.manifest.samples.confidence)
