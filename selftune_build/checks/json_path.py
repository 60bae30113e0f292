"""The check on a value inside JSON: what a JSONPath or a JSON Pointer selects is there, equals something, matches something."""

from __future__ import annotations

from typing import Any

from selftune_build.checks.context import CheckContext, decided, failed, held, not_measured
from selftune_build.checks.json_value import Found, has_parameter, json_of, parameter, same, shown
from selftune_build.model.case import Check
from selftune_build.model.sample import Transcript
from selftune_build.model.verdict import CheckResult
from selftune_build.pattern import Patience, PatternError, PatternTimeout
from selftune_build.reading.json_query import QueryError, TooMuchWork, select


def judge(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether `path` selects something, and every value that it selects equals `equals` or matches `pattern` where asked.

    `exists` false asks that it selects nothing. Of what is no JSON no form of the check holds.
    """
    found = json_of(check, transcript, context)
    if not isinstance(found, Found):
        return found
    try:
        values = select(check.params["path"], found.value)
        return _judged(check, values, f"{check.params['path']} of {found.source}")
    except QueryError as problem:
        return not_measured(f"the path cannot be used: {problem}")
    except PatternError as problem:
        return not_measured(f"the pattern cannot be used: {problem}")
    except PatternTimeout:
        return not_measured("the pattern took too long on this text")
    except TooMuchWork as problem:
        return not_measured(f"the path was given up: {problem}")


def _judged(check: Check, values: list[Any], where: str) -> CheckResult:
    if check.params.get("exists") is False:
        return decided(not values, f"{where} is {_listed(values)}")
    if not values:
        return failed(f"{where} selects nothing")
    patience = Patience()
    wrong = [value for value in values if not _fits(check, value, patience)]
    return failed(f"{where} is {_listed(wrong)}") if wrong else held(f"{where} is {_listed(values)}")


def _fits(check: Check, value: Any, patience: Patience) -> bool:
    """Whether one value is what the check asks for; a value that is no text is matched as JSON."""
    if has_parameter(check, "equals"):
        return same(value, parameter(check, "equals"))
    pattern = check.params.get("pattern")
    return pattern is None or patience.search(pattern, value if isinstance(value, str) else shown(value))


def _listed(values: list[Any]) -> str:
    more = f" and {len(values) - 1} more" if len(values) > 1 else ""
    return shown(values[0]) + more if values else "not there"
