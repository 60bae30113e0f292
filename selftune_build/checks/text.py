"""Checks on text: the agent's final answer, a script's stdout (`contains`, `regex`, …) and its stderr."""

from __future__ import annotations

from selftune_build.checks.context import CheckContext, decided, failed, held, not_measured
from selftune_build.checks.quote import around, beginning, find, nearest, normalised
from selftune_build.model.case import Arm, Check
from selftune_build.model.sample import Transcript
from selftune_build.model.verdict import CheckResult
from selftune_build.pattern import PatternError, PatternTimeout, first_match


def judge_contains(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether the answer (of a script: stdout) holds a text, compared with LF line ends."""
    return text_contains(check, transcript.reply.output, _source(context))


def judge_not_contains(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether the answer does not hold a text."""
    return text_lacks(check, transcript.reply.output, _source(context))


def judge_regex(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether a regular expression matches somewhere in the answer; not measured where the search takes too long."""
    return text_matches(check, transcript.reply.output, _source(context))


def judge_not_regex(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether a regular expression matches nowhere in the answer."""
    result = text_matches(check, transcript.reply.output, _source(context))
    return result if result.held is None else decided(not result.held, result.evidence)


def judge_stderr_contains(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether a script's stderr holds a text."""
    return text_contains(check, transcript.stderr, "stderr")


def text_contains(check: Check, raw: str, source: str) -> CheckResult:
    """Whether `raw` holds `params["text"]`."""
    text = normalised(raw)
    needle: str = check.params["text"]
    span = find(needle, text, ignore_case=_ignores_case(check))
    if span is None:
        return failed(f"not in {source}; {nearest(needle, text)}")
    return held(f"{source} holds {around(text, span)}")


def text_lacks(check: Check, raw: str, source: str) -> CheckResult:
    """Whether `raw` does not hold `params["text"]`."""
    text = normalised(raw)
    span = find(check.params["text"], text, ignore_case=_ignores_case(check))
    return held(f"not in {source}") if span is None else failed(f"{source} holds {around(text, span)}")


def text_matches(check: Check, raw: str, source: str) -> CheckResult:
    """Whether `params["pattern"]` matches somewhere in `raw`."""
    text = normalised(raw)
    try:
        span = first_match(check.params["pattern"], text, ignore_case=_ignores_case(check))
    except PatternTimeout:
        return not_measured("the pattern took too long on this text")
    except PatternError as problem:
        return not_measured(f"the pattern cannot be used: {problem}")
    if span is None:
        return failed(f"no match in {source}; {beginning(text)}")
    return held(f"{source} matches at {around(text, span)}")


def _ignores_case(check: Check) -> bool:
    return check.params.get("ignore-case") is True


def _source(context: CheckContext) -> str:
    return "stdout" if context.arm is Arm.SCRIPT else "the answer"
