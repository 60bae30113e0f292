"""The check that stands for something an eval file asks and nobody here can measure: never held, never failed."""

from __future__ import annotations

from selftune_build.checks.context import CheckContext, not_measured
from selftune_build.model.case import Check
from selftune_build.model.sample import Transcript
from selftune_build.model.verdict import CheckResult


def judge(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Always not measured, with the reason that the reader gave."""
    return not_measured(check.params["reason"])
