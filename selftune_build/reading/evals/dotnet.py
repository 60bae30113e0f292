"""The scenarios of dotnet's skill-validator.

Written from `eng/skill-validator/src/Services/EvalSchema.cs` and `AssertionEvaluator.cs` of github.com/dotnet/skills
(2026-03-15) and from its `tests/**/eval.yaml`: `scenarios: [{name, prompt, setup, assertions, rubric, timeout, expect_tools,
reject_tools, max_turns, max_tokens, expect_activation}]`. Texts are compared there without regard to case, patterns and the
content of files with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from selftune_build.model.case import Case, CaseFile, Check
from selftune_build.model.finding import Severity
from selftune_build.reading.evals.case_files import inline_file, placed_files
from selftune_build.reading.evals.counterpart import counterpart, implied, matching, not_supported
from selftune_build.reading.evals.draft import NO_FILE, Draft, entries, finished, mapping, shell, texts
from selftune_build.reading.evals.foreign import foreign_id, foreign_limits, has_text
from selftune_build.reading.evals.source import EvalReading, Source, note_unknown_fields

FORMAT = "dotnet"

_KNOWN = frozenset(
    {"name", "prompt", "setup", "assertions", "rubric", "timeout", "expect_tools", "reject_tools"}
    | {"max_turns", "max_tokens", "expect_activation"}
)
_OUTPUT = {"output_contains": "contains", "output_not_contains": "not-contains"}
_PATTERN = {"output_matches": "regex", "output_not_matches": "not-regex"}
_FILE = {"file_exists": "file-exists", "file_not_exists": "file-absent"}
_FILE_TEXT = {"file_contains": "file-contains", "file_not_contains": "file-not-contains"}


def is_suite(data: dict[str, Any]) -> bool:
    """Told by a list of scenarios."""
    return isinstance(data.get("scenarios"), list) and all(isinstance(item, dict) for item in data["scenarios"])


def read_dotnet(source: Source) -> EvalReading:
    """One case for each scenario. Never raises."""
    scenarios = entries(source.document.data["scenarios"], "/scenarios")
    note_unknown_fields(source, [("", source.document.data)], frozenset({"scenarios"}))
    note_unknown_fields(source, scenarios, _KNOWN)
    _note_default(source, scenarios)
    return EvalReading(tuple(_case(source, scenario, pointer) for pointer, scenario in scenarios), tuple(source.findings))


def _note_default(source: Source, scenarios: list[tuple[str, Any]]) -> None:
    silent = [pointer for pointer, scenario in scenarios if not isinstance(scenario.get("expect_activation"), bool)]
    if silent:
        message = f"{len(silent)} scenarios do not say `expect_activation`: nothing is taken from its default (true)"
        source.note("eval-trigger-not-said", Severity.NOTE, message, silent[0], "write it where triggering is to be measured")


def _case(source: Source, scenario: dict[str, Any], pointer: str) -> Case:
    setup = mapping(scenario.get("setup"))
    files, missing = _files(source, setup, f"{pointer}/setup")
    prompt = scenario["prompt"] if has_text(scenario.get("prompt")) else ""
    activation = scenario.get("expect_activation")
    draft = Draft(
        id=foreign_id(source, scenario, prompt, pointer),
        pointer=pointer,
        prompt=prompt,
        checks=_checks(source, scenario, pointer),
        files=files,
        setup=shell(setup.get("commands")),
        should_trigger=activation if isinstance(activation, bool) else None,
        limits=foreign_limits(source, {"timeout": scenario.get("timeout")}, pointer),
        unusable=(NO_FILE, missing) if missing else None,
    )
    return finished(source, draft)


def _checks(source: Source, scenario: dict[str, Any], pointer: str) -> Iterator[Check | None]:
    for below, assertion in entries(scenario.get("assertions"), f"{pointer}/assertions"):
        yield _check(source, mapping(assertion), below)
    for below, sentence in entries(scenario.get("rubric"), f"{pointer}/rubric"):
        yield counterpart(source, "sentence", {"text": sentence}, below)
    for name in texts(scenario.get("expect_tools")):
        yield counterpart(source, "tool-called", {"name": name}, f"{pointer}/expect_tools")
    for name in texts(scenario.get("reject_tools")):
        yield counterpart(source, "tool-not-called", {"name": name}, f"{pointer}/reject_tools")
    for key, kind in (("max_turns", "max-turns"), ("max_tokens", "max-tokens")):
        if key in scenario:
            yield ceiling(source, kind, scenario[key], f"{pointer}/{key}")


def ceiling(source: Source, kind: str, value: Any, pointer: str) -> Check:
    """A check that so many turns or tokens are not exceeded; an unsupported one where the value is no positive number."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        return not_supported(source, f"`{kind}`", value, pointer, "its value is no whole number")
    return counterpart(source, kind, {"value": value}, pointer)


def _check(source: Source, assertion: dict[str, Any], pointer: str) -> Check | None:
    kind, value, path = str(assertion.get("type")), assertion.get("value"), assertion.get("path")
    if kind == "exit_success":
        implied(source, kind, pointer)
        return None
    if kind in _OUTPUT:
        return counterpart(source, _OUTPUT[kind], {"text": value, "ignore-case": True}, pointer)
    if kind in _PATTERN and has_text(assertion.get("pattern")):
        return counterpart(source, _PATTERN[kind], matching(assertion["pattern"], flags="i"), pointer)
    if kind in _FILE:
        return counterpart(source, _FILE[kind], {"path": path}, pointer)
    if kind in _FILE_TEXT:
        return counterpart(source, _FILE_TEXT[kind], {"path": path, "text": value}, pointer)
    return not_supported(source, f"`{kind}`", assertion, pointer)


def _files(source: Source, setup: dict[str, Any], pointer: str) -> tuple[tuple[CaseFile, ...], str | None]:
    """Files with their text, files of the suite or the skill, and with `copy_test_files` everything beside the suite."""
    inline: list[CaseFile] = []
    wanted: list[tuple[str, Any, Any]] = []
    if setup.get("copy_test_files") is True:
        beside = [path for path in source.below(source.folder) if path != source.path]
        wanted += [(pointer, path[len(source.folder) :].lstrip("/"), path[len(source.folder) :].lstrip("/")) for path in beside]
    for below, entry in entries(setup.get("files"), f"{pointer}/files"):
        file = mapping(entry)
        if has_text(file.get("source")):
            wanted.append((below, file["source"], file.get("path")))
            continue
        made = inline_file(file.get("path"), file.get("content"))
        if isinstance(made, str):
            return (), made
        inline.append(made)
    placed, missing = placed_files(source, wanted, (source.folder, source.home))
    return (*inline, *placed), missing
