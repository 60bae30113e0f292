"""The `unit-tests` stage: scripts of the package run for real, and small agent cases beside them."""

from __future__ import annotations

from selftune_build.graph.targets import Stage
from selftune_build.model.case import Arm
from selftune_build.stages.row import Asking, RowSpec, sampled_row, script_row


def unit_test_rows(asking: Asking) -> list[RowSpec]:
    """One row for each unit test, under the arm `script` or `with_skill`."""
    return [
        script_row(asking, case) if case.is_script else sampled_row(asking, Stage.UNIT_TESTS, case, Arm.WITH_SKILL)
        for case in asking.package.unit_tests
    ]
