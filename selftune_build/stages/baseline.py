"""The `baseline` stage: the same cases answered without the skill. No edit of the skill ever pays for it again."""

from __future__ import annotations

from collections.abc import Callable

from selftune_build.checks.registry import compares, is_outcome, needs_judge
from selftune_build.graph.targets import Stage
from selftune_build.model.case import Arm, Case, Check
from selftune_build.stages.row import Asking, RowSpec, sampled_row


def baseline_rows(asking: Asking) -> list[RowSpec]:
    """One row for each eval case with a check on the outcome that can be measured, or one that compares with it."""
    measures = measuring(judged=asking.judge is not None)

    def wanted(case: Case) -> bool:
        compared = asking.judge is not None and any(map(compares, case.checks))
        return compared or any(map(measures, case.checks))

    return [sampled_row(asking, Stage.BASELINE, case, Arm.WITHOUT_SKILL) for case in asking.package.evals if wanted(case)]


def measuring(*, judged: bool) -> Callable[[Check], bool]:
    """Whether a check looks at the outcome of the task without the skill and can be measured; `judged`: there is a judge."""

    def measures(check: Check) -> bool:
        return is_outcome(check) and (judged or not needs_judge(check.kind)) and check.is_for(Arm.WITHOUT_SKILL)

    return measures
