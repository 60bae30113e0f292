"""The `replay` stage: each case answered by an agent that has the skill."""

from __future__ import annotations

from selftune_build.checks.registry import unusable
from selftune_build.graph.targets import Stage
from selftune_build.model.case import Arm
from selftune_build.stages.row import Asking, RowSpec, sampled_row


def replay_rows(asking: Asking) -> list[RowSpec]:
    """One row for each eval case that measures something, with the skill and its competitors staged."""
    return [sampled_row(asking, Stage.REPLAY, case, Arm.WITH_SKILL) for case in asking.package.evals if not unusable(case)]
