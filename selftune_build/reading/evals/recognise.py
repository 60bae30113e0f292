"""Which format a file is in: told by the keys of its data, never by its name, since one name serves many formats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from selftune_build.reading.evals import evals_json, native, trigger_set
from selftune_build.reading.evals.source import EvalReading, Source


class Format(Struct, frozen=True):
    """A format of eval files: its name in findings and origins, its reader, whether it is our own."""

    name: str
    read: Callable[[Source], EvalReading]
    ours: bool = False
    summary: str = ""


EVALS = Format(native.EVALS, native.read_native, ours=True)
UNIT_TESTS = Format(native.UNIT_TESTS, native.read_native, ours=True)
EVALS_JSON = Format(evals_json.FORMAT, evals_json.read_evals_json)
TRIGGER_SET = Format(trigger_set.FORMAT, trigger_set.read_trigger_set)
FORMATS = {each.name: each for each in (EVALS, UNIT_TESTS, EVALS_JSON, TRIGGER_SET)}
"""Every format that is read here, by its name."""

_OURS = "selftune."
_LISTS = ("evals", "cases")
_PROMPTS = ("prompt", "question")
_ASKED = (*_PROMPTS, "expectations", "assertions", "expected_output", "expected_behavior", "ground_truth")
_SAYS_MORE = (*_ASKED[2:], "should_trigger", "expected_skill")
_FOREIGN = (
    ({"stimuli"}, "Vally"),
    ({"scenarios"}, "dotnet skill-validator"),
    ({"schema_version", "environment"}, "skill-up"),
    ({"execution", "runner"}, "agent-eval-harness"),
    ({"config", "tasks"}, "waza"),
    ({"should_trigger_prompts"}, "waza"),
    ({"version", "tasks"}, "skillgrade"),
    ({"variants", "cases"}, "skill-eval-harness"),
)
_TRACES = ('"evals"', "should_trigger", "expectations", "assertions", "expected_output", "skill_name")


def recognise(data: Any) -> Format | None:
    """The format of the data, None where it is none that is read here. An empty list is a suite without cases."""
    if isinstance(data, dict):
        return _of_mapping(data)
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        return None
    if data and all("query" in item for item in data) and any("should_trigger" in item for item in data):
        return TRIGGER_SET
    return EVALS_JSON if all(_is_case(item) for item in data) else None


def claims_to_be_ours(data: Any) -> bool:
    """Whether the data names a format of ours, known here or not: such a file is read strictly or refused."""
    return isinstance(data, dict) and isinstance(data.get("format"), str) and data["format"].startswith(_OURS)


def foreign_name(data: Any) -> str | None:
    """The tool whose format this seems to be, so that it can be named; None where it is like none that is known."""
    if isinstance(data, list):
        alike = any(isinstance(item, dict) and ({*_PROMPTS, "query"} & set(item)) for item in data)
        return "an unknown tool" if alike else None
    if not isinstance(data, dict):
        return None
    known = next((name for keys, name in _FOREIGN if keys <= set(data)), None)
    listed = any(isinstance(data.get(key), list) for key in _LISTS)
    return known or ("an unknown tool" if listed or set(_SAYS_MORE) & set(data) else None)


def leaves_traces(text: str) -> bool:
    """Whether a text that cannot be parsed mentions what eval files mention."""
    return any(trace in text for trace in _TRACES)


def _of_mapping(data: dict[str, Any]) -> Format | None:
    if claims_to_be_ours(data):
        return next((known for known in (EVALS, UNIT_TESTS) if known.name == data["format"]), None)
    listed = next((data[key] for key in _LISTS if isinstance(data.get(key), list)), None)
    if listed is not None:
        fits = all(isinstance(item, dict) and _is_listed_case(item) for item in listed)
        return EVALS_JSON if fits and "variants" not in data else None
    return EVALS_JSON if _is_case(data) and any(key in data for key in _SAYS_MORE) else None


def _is_case(item: dict[str, Any]) -> bool:
    return any(isinstance(item.get(key), str) for key in _PROMPTS)


def _is_listed_case(item: dict[str, Any]) -> bool:
    """In a list that calls itself evals a case may lack its prompt; it is then an error of that case, not another format."""
    return any(key in item for key in (*_ASKED, "id", "name", "command", "should_trigger"))
