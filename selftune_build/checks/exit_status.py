"""The check on how a script ended."""

from __future__ import annotations

from selftune_build.checks.context import CheckContext, decided, not_measured
from selftune_build.model.case import Check
from selftune_build.model.sample import Transcript
from selftune_build.model.verdict import CheckResult


def judge(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether a script ended with the exit status asked for; not measured where none was recorded."""
    if transcript.exit_status is None:
        return not_measured("no exit status was recorded")
    last = transcript.stderr.rstrip().rpartition("\n")[2]
    evidence = f"exit status {transcript.exit_status}" + (f"; stderr ends: {last}" if last else "")
    return decided(transcript.exit_status == check.params["status"], evidence)
