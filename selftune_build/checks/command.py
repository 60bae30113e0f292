"""The check that a command of the author decides: a grader run on what the sample left behind."""

from __future__ import annotations

from selftune_build.checks.context import CheckContext, Command, CommandEnd, decided, failed, held, left_files, not_measured
from selftune_build.checks.quote import around, find, nearest, normalised
from selftune_build.model.case import Check
from selftune_build.model.sample import Transcript
from selftune_build.model.verdict import CheckResult


def judge(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether the command ends with the exit status asked for and its stdout holds the text asked for.

    It runs in a folder with the case's files as the sample left them, the answer on its stdin. Not measured under
    `--no-exec`, where nothing can run it, and where it did not start or did not end by itself: that says nothing about
    the skill.
    """
    end = end_of(check, transcript, context)
    return _by_end(check, end) if isinstance(end, CommandEnd) else end


def end_of(check: Check, transcript: Transcript, context: CheckContext) -> CommandEnd | CheckResult:
    """How the command of a check ended, its exit status known; else the result that it is not measured."""
    if not context.allow_exec:
        return not_measured("commands are not run under --no-exec")
    if context.execute is None:
        return not_measured("nothing here runs commands")
    end = context.execute(_command(check, transcript, context))
    if end.exit_status is None:
        return not_measured(f"the command brought no exit status: {end.reason}")
    return end


def _command(check: Check, transcript: Transcript, context: CheckContext) -> Command:
    files = left_files(transcript, context)
    return Command(
        argv=tuple(check.params["run"]),
        package_files=check.files,
        files=tuple((path, *files[path]) for path in sorted(files)),
        stdin=transcript.reply.output.encode("utf-8", "replace"),
    )


def _by_end(check: Check, end: CommandEnd) -> CheckResult:
    if end.exit_status != check.params.get("exit", 0):
        return failed(_ended(end))
    wanted = check.params.get("stdout-contains")
    if wanted is None:
        return held(_ended(end))
    stdout = normalised(end.stdout)
    span = find(wanted, stdout)
    evidence = f"stdout holds {around(stdout, span)}" if span else f"not in stdout; {nearest(wanted, stdout)}"
    return decided(span is not None, evidence)


def _ended(end: CommandEnd) -> str:
    """The exit status and the last line that the command wrote: graders print their reason there."""
    lines = [line for line in (end.stderr.strip() or end.stdout.strip()).splitlines() if line.strip()]
    return f"exit status {end.exit_status}" + (f": {lines[-1]}" if lines else "")
