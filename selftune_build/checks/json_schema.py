"""The check that JSON has a form: a JSON Schema that it fits."""

from __future__ import annotations

from selftune_build.checks.context import CheckContext, failed, held, not_measured
from selftune_build.checks.json_value import Found, json_of, parameter
from selftune_build.model.case import Check
from selftune_build.model.sample import Transcript
from selftune_build.model.verdict import CheckResult
from selftune_build.pattern import PatternError, PatternTimeout


def judge(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether the JSON of the answer, or of a file, fits `schema`; what the schema refers to outside is never fetched."""
    from selftune_build.reading.json_schema import SchemaError, TooMuchWork, misfit

    found = json_of(check, transcript, context)
    if not isinstance(found, Found):
        return found
    try:
        fault = misfit(parameter(check, "schema"), found.value)
    except SchemaError as problem:
        return not_measured(f"the schema cannot be used: {problem}")
    except PatternError as problem:
        return not_measured(f"a pattern of the schema cannot be used: {problem}")
    except (PatternTimeout, TooMuchWork) as problem:
        return not_measured(f"the schema was given up: {problem}")
    if fault is None:
        return held(f"{found.source} fits the schema")
    return failed(f"{fault.pointer or 'the value'} of {found.source}: {fault.message}")
