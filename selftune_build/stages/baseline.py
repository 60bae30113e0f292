"""The `baseline` stage: the same cases answered without the skill. No edit of the skill ever pays for it again."""

from __future__ import annotations

from selftune_build.checks.registry import is_outcome, needs_judge
from selftune_build.graph.targets import Stage
from selftune_build.model.case import Arm, Check
from selftune_build.stages.row import Asking, RowSpec, sampled_row


def baseline_rows(asking: Asking) -> list[RowSpec]:
    """One row for each eval case with a check on the outcome that can be measured: nothing else reads a baseline."""
    cases = (case for case in asking.package.evals if any(measures_outcome(check) for check in case.checks))
    return [sampled_row(asking, Stage.BASELINE, case, Arm.WITHOUT_SKILL) for case in cases]


def measures_outcome(check: Check) -> bool:
    """Whether the check looks at the outcome of the task without the skill, and can be measured without a judge."""
    return is_outcome(check) and not needs_judge(check.kind) and check.is_for(Arm.WITHOUT_SKILL)
