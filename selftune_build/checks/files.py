"""Checks on the files there are when a sample has ended."""

from __future__ import annotations

from selftune_build.checks.context import CheckContext, failed, held, left_files, read_file
from selftune_build.checks.text import text_contains, text_lacks, text_matches
from selftune_build.model.case import Check
from selftune_build.model.sample import Transcript
from selftune_build.model.verdict import CheckResult
from selftune_build.relpath import is_glob, match_glob
from selftune_build.wording import listed

_SHOWN = 5


def judge_exists(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether there is a file at the path, or one that the glob matches."""
    paths = _matching(check.params["path"], transcript, context)
    return held(f"there is {listed(paths, _SHOWN)}") if paths else failed(_missing(check, transcript, context))


def judge_absent(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether there is no such file."""
    paths = _matching(check.params["path"], transcript, context)
    return failed(f"there is {listed(paths, _SHOWN)}") if paths else held(f"there is no {check.params['path']}")


def judge_contains(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether a file holds a text; a file that is not there does not."""
    text = _text(check, transcript, context)
    if text is None:
        return failed(_missing(check, transcript, context))
    return text_contains(check, text, check.params["path"])


def judge_not_contains(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether a file is there and does not hold a text."""
    text = _text(check, transcript, context)
    if text is None:
        return failed(_missing(check, transcript, context))
    return text_lacks(check, text, check.params["path"])


def judge_regex(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether a regular expression matches somewhere in a file."""
    text = _text(check, transcript, context)
    if text is None:
        return failed(_missing(check, transcript, context))
    return text_matches(check, text, check.params["path"])


def _matching(pattern: str, transcript: Transcript, context: CheckContext) -> list[str]:
    """The path itself where it exists, so that a file named with brackets can be asked for; else what the glob matches."""
    if read_file(pattern, transcript, context) is not None:
        return [pattern]
    return sorted(path for path in left_files(transcript, context) if match_glob(pattern, path)) if is_glob(pattern) else []


def _text(check: Check, transcript: Transcript, context: CheckContext) -> str | None:
    content = read_file(check.params["path"], transcript, context)
    return None if content is None else content.decode("utf-8", "replace")


def _missing(check: Check, transcript: Transcript, context: CheckContext) -> str:
    present = sorted(left_files(transcript, context))
    return f"no file {check.params['path']}; " + (f"there is {listed(present, _SHOWN)}" if present else "there are no files")
