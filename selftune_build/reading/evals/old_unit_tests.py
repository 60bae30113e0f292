"""The unit-test files of the npm package `selftune`.

Written from `cli/selftune/eval/unit-test.ts` and `cli/selftune/types.ts` of github.com/selftune-dev/selftune (0.2.32): a JSON
list of `{id, skill_name, query, assertions: [{type, value, description?}], timeout_ms?, tags?}`. There a tool counted as called
where its name stood anywhere in the transcript, and `json_path` was one top-level `key=value`.
"""

from __future__ import annotations

import math
from typing import Any

from selftune_build.model.case import Case, Check
from selftune_build.model.finding import Severity
from selftune_build.model.manifest import Limits
from selftune_build.reading.evals.counterpart import counterpart, matching, not_supported
from selftune_build.reading.evals.draft import Draft, entries, finished, mapping, texts
from selftune_build.reading.evals.foreign import foreign_id, has_text
from selftune_build.reading.evals.source import EvalReading, Source, note_unknown_fields

FORMAT = "selftune-unit-tests"

_KNOWN = frozenset({"id", "skill_name", "query", "assertions", "timeout_ms", "tags"})
_KNOWN_OF_ASSERTION = frozenset({"type", "value", "description"})
_KINDS = {
    "contains": ("contains", "text"),
    "not_contains": ("not-contains", "text"),
    "tool_called": ("tool-called", "name"),
    "tool_not_called": ("tool-not-called", "name"),
}


def read_old_unit_tests(source: Source) -> EvalReading:
    """One case for each test: here it asks an agent that has the skill. Never raises."""
    tests = entries(source.document.data, "")
    note_unknown_fields(source, tests, _KNOWN)
    return EvalReading(tuple(_case(source, test, pointer) for pointer, test in tests), tuple(source.findings))


def _case(source: Source, test: dict[str, Any], pointer: str) -> Case:
    _note_other_skill(source, test, pointer)
    assertions = entries(test.get("assertions"), f"{pointer}/assertions")
    note_unknown_fields(source, assertions, _KNOWN_OF_ASSERTION)
    prompt = test["query"] if has_text(test.get("query")) else ""
    draft = Draft(
        id=foreign_id(source, test, prompt, pointer),
        pointer=pointer,
        prompt=prompt,
        checks=[_check(source, mapping(assertion), below) for below, assertion in assertions],
        limits=_limits(source, test.get("timeout_ms")),
        tags=tuple(texts(test.get("tags"))),
    )
    return finished(source, draft)


def _note_other_skill(source: Source, test: dict[str, Any], pointer: str) -> None:
    name = test.get("skill_name")
    if has_text(name) and name != source.package_name:
        message = f"tests of the file say they are for `{name[:60]}`; they are read for this package"
        source.note_once("eval-names-other-skill", Severity.WARNING, message, pointer)


def _check(source: Source, assertion: dict[str, Any], pointer: str) -> Check:
    kind, value = str(assertion.get("type")), assertion.get("value")
    if not has_text(value):
        return not_supported(source, f"`{kind}`", assertion, pointer, "it has no value")
    if kind == "regex":
        return counterpart(source, "regex", matching(value), pointer)
    if kind == "json_path" and "=" in value:
        key, _, expected = value.partition("=")
        return counterpart(source, "json-path", {"path": f"$.{key}", "equals": expected}, pointer)
    if kind in _KINDS:
        name, parameter = _KINDS[kind]
        return counterpart(source, name, {parameter: value}, pointer)
    return not_supported(source, f"`{kind}`", assertion, pointer)


def _limits(source: Source, milliseconds: Any) -> Limits | None:
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float) or milliseconds <= 0:
        return None
    return Limits(max(math.ceil(milliseconds / 1000), 1), source.limits.max_turns)
