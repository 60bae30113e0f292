"""Which format a file is in: told by the keys of its data, never by its name, since one name serves many formats."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Sequence
from typing import Any

from msgspec import Struct

from selftune_build.reading.evals import (
    agent_eval_harness,
    claude_plugin,
    dotnet,
    evals_json,
    native,
    old_unit_tests,
    question_list,
    shared_benchmark,
    skill_up,
    skillgrade,
    tessl,
    trigger_set,
    vally,
    waza,
    waza_triggers,
)
from selftune_build.reading.evals.data_file import BODY, FRONTMATTER
from selftune_build.reading.evals.source import EvalReading, Source, files_below


class Format(Struct, frozen=True):
    """A format of eval files: its name in findings and origins, its reader, whether it is our own."""

    name: str
    read: Callable[[Source], EvalReading]
    ours: bool = False
    summary: str = ""


EVALS = Format(native.EVALS, native.read_native, ours=True)
UNIT_TESTS = Format(native.UNIT_TESTS, native.read_native, ours=True)
EVALS_JSON = Format(evals_json.FORMAT, evals_json.read_evals_json)
QUESTION_LIST = Format(question_list.FORMAT, question_list.read_question_list)
TRIGGER_SET = Format(trigger_set.FORMAT, trigger_set.read_trigger_set)
CLAUDE_PLUGIN = Format(claude_plugin.FORMAT, claude_plugin.read_claude_plugin)
WAZA = Format(waza.FORMAT, waza.read_waza)
WAZA_TRIGGERS = Format(waza_triggers.FORMAT, waza_triggers.read_waza_triggers)
VALLY = Format(vally.FORMAT, vally.read_vally)
DOTNET = Format(dotnet.FORMAT, dotnet.read_dotnet)
SKILLGRADE = Format(skillgrade.FORMAT, skillgrade.read_skillgrade)
SKILL_UP = Format(skill_up.FORMAT, skill_up.read_skill_up)
HARNESS = Format(agent_eval_harness.FORMAT, agent_eval_harness.read_agent_eval_harness)
TESSL = Format(tessl.FORMAT, tessl.read_tessl)
SHARED_BENCHMARK = Format(shared_benchmark.FORMAT, shared_benchmark.read_shared_benchmark)
OLD_UNIT_TESTS = Format(old_unit_tests.FORMAT, old_unit_tests.read_old_unit_tests)
FORMATS = {
    each.name: each
    for each in (
        EVALS,
        UNIT_TESTS,
        EVALS_JSON,
        QUESTION_LIST,
        TRIGGER_SET,
        CLAUDE_PLUGIN,
        WAZA,
        WAZA_TRIGGERS,
        VALLY,
        DOTNET,
        SKILLGRADE,
        SKILL_UP,
        HARNESS,
        TESSL,
        SHARED_BENCHMARK,
        OLD_UNIT_TESTS,
    )
}
"""Every format that is read here, by its name."""

Neighbours = Callable[[], Collection[str]]

_OURS = "selftune."
_LISTS = ("evals", "cases")
_PROMPTS = ("prompt", "question")
_ASKED = (*_PROMPTS, "expectations", "assertions", "expected_output", "expected_behavior", "ground_truth")
_SAYS_MORE = (*_ASKED[2:], "should_trigger", "expected_skill")
_TRACES = (
    *('"evals"', "should_trigger", "expectations", "assertions", "expected_output", "skill_name"),
    *("stimuli:", "scenarios:", "graders:", "v1alpha1", "weighted_checklist"),
)


def recognise(data: Any, neighbours: Neighbours = tuple) -> Format | None:
    """The format of the data, None where it is none that is read here. An empty list is a suite without cases.

    `neighbours` finds the names beside the file, folders among them: some suites are told by two files together.
    """
    if isinstance(data, dict):
        return _of_mapping(data, neighbours)
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        return None
    return _of_list(data)


def beside(path: str, tree: Sequence[str]) -> frozenset[str]:
    """The names of the files and folders that lie where a file lies; `tree` is sorted."""
    folder = posixpath.dirname(path)
    start = len(folder) + 1 if folder else 0
    return frozenset(other[start:].split("/")[0] for other in files_below(tree, folder))


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
    listed = any(isinstance(data.get(key), list) for key in _LISTS)
    return "an unknown tool" if listed or set(_SAYS_MORE) & set(data) else None


def leaves_traces(text: str) -> bool:
    """Whether a text that cannot be parsed mentions what eval files mention."""
    return any(trace in text for trace in _TRACES)


def _of_list(data: list[dict[str, Any]]) -> Format | None:
    if data and all("query" in item for item in data):
        if any("should_trigger" in item for item in data):
            return TRIGGER_SET
        if all(isinstance(item.get("assertions"), list) for item in data):
            return OLD_UNIT_TESTS
    if data and all(isinstance(item.get("question"), str) for item in data):
        return QUESTION_LIST if _says_more(data) else None
    return EVALS_JSON if all(_is_case(item) for item in data) else None


def _of_mapping(data: dict[str, Any], neighbours: Neighbours) -> Format | None:
    if claims_to_be_ours(data):
        return next((known for known in (EVALS, UNIT_TESTS) if known.name == data["format"]), None)
    return _of_other_tools(data, neighbours) or _of_evals_json(data)


def _of_other_tools(data: dict[str, Any], neighbours: Neighbours) -> Format | None:
    """By the keys that each of them cannot do without; the more telling ones first."""
    if set(data) == {FRONTMATTER, BODY}:
        return CLAUDE_PLUGIN if claude_plugin.is_case_text(data, neighbours()) else None
    tests = (
        (VALLY, vally.is_suite),
        (DOTNET, dotnet.is_suite),
        (WAZA_TRIGGERS, waza_triggers.is_suite),
        (SKILL_UP, skill_up.is_suite),
        (CLAUDE_PLUGIN, claude_plugin.is_case_file),
        (HARNESS, agent_eval_harness.is_suite),
        (SKILLGRADE, skillgrade.is_suite),
        (WAZA, waza.is_suite),
        (SHARED_BENCHMARK, shared_benchmark.is_suite),
        (TESSL, lambda found: tessl.is_suite(found) and tessl.TASK in neighbours()),
    )
    return next((format_ for format_, fits in tests if fits(data)), None)


def _of_evals_json(data: dict[str, Any]) -> Format | None:
    listed = next((data[key] for key in _LISTS if isinstance(data.get(key), list)), None)
    if listed is not None:
        fits = all(isinstance(item, dict) and _is_listed_case(item) for item in listed)
        return EVALS_JSON if fits and (isinstance(data.get("evals"), list) or not listed or _says_more(listed)) else None
    return EVALS_JSON if _is_case(data) and any(key in data for key in _SAYS_MORE) else None


def _says_more(items: list[dict[str, Any]]) -> bool:
    """Whether anything but a prompt is said that we know; lists of many tools have prompts and names."""
    return any(key in item for item in items for key in (*_SAYS_MORE, "command"))


def _is_case(item: dict[str, Any]) -> bool:
    return any(isinstance(item.get(key), str) for key in _PROMPTS)


def _is_listed_case(item: dict[str, Any]) -> bool:
    """In a list that calls itself evals a case may lack its prompt; it is then an error of that case, not another format."""
    return any(key in item for key in (*_ASKED, "id", "name", "command", "should_trigger"))
