"""Checks on the skill's own use: they say nothing about the outcome, and without the skill they fail by definition."""

from __future__ import annotations

from selftune_build.checks.context import CheckContext, decided, not_measured
from selftune_build.model.case import Check
from selftune_build.model.sample import Transcript
from selftune_build.model.verdict import CheckResult


def judge_invoked(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether the skill was activated; not measured where the agent does not tell."""
    used = transcript.reply.skills_used
    if used is None:
        return _not_told()
    return decided(_skill(check, context) in used, _activated(used))


def judge_not_invoked(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether the skill was not activated; not measured where the agent does not tell."""
    used = transcript.reply.skills_used
    if used is None:
        return _not_told()
    return decided(_skill(check, context) not in used, _activated(used))


def _skill(check: Check, context: CheckContext) -> str:
    """Without a name the check is about the package under test, so that renaming it needs no edit."""
    name: str = check.params.get("skill", context.package_name)
    return name


def _not_told() -> CheckResult:
    return not_measured("the agent does not tell which skills it used")


def _activated(used: tuple[str, ...]) -> str:
    return "activated: " + ", ".join(sorted(set(used))) if used else "no skill was activated"
