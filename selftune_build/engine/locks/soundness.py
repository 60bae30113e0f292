"""Whether locks belong to their packages, whatever their gates say of them."""

from __future__ import annotations

from collections.abc import Sequence

from selftune_build.engine.report import BROKEN, REFUSING
from selftune_build.errors import PLUGIN_FAILED, PLUGIN_MISSING
from selftune_build.exits import BAD_INPUT, REFUSED, UNDECIDED, worst
from selftune_build.model.report import Problem, Report

_STATUS = {code: REFUSED for code in REFUSING - {"gate-failed", "evidence-simulated"}} | {BROKEN: BAD_INPUT}
"""What a verdict says of the skill is no fault of its lock."""
_UNREAD = {PLUGIN_MISSING: UNDECIDED, PLUGIN_FAILED: UNDECIDED}


def unsound(report: Report) -> list[Problem]:
    """The problems of a report of `--locked` for which evidence and text do not belong together, or could not be compared."""
    return [problem for package in report.packages for problem in package.problems if problem.code in _known(package.agent)]


def unsound_status(problems: Sequence[Problem]) -> int:
    """The exit status that they lead to."""
    return worst((_STATUS | _UNREAD)[problem.code] for problem in problems)


def _known(agent: str) -> dict[str, int]:
    """A package that could not be read is reported under no agent."""
    return _STATUS if agent else _STATUS | _UNREAD
