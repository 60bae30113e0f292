"""The `evals.json` family: an object with `evals` or `cases`, a bare list, or one bare case; prompts and assertions.

Written from `skills/skill-creator/references/schemas.md` of github.com/anthropics/skills (2026-07-01: `expectations`), the guide
of github.com/agentskills/agentskills (`assertions`), and `src/skill.ts` of github.com/darkrishabh/agent-skills-eval
(`tool_assertions`).
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from selftune_build.escape import one_line
from selftune_build.model.case import Case, Check
from selftune_build.model.finding import Severity
from selftune_build.reading.evals.assertion import foreign_check
from selftune_build.reading.evals.case_files import found_files
from selftune_build.reading.evals.draft import NO_FILE, NO_PROMPT, Draft, finished
from selftune_build.reading.evals.foreign import LIMITS, as_json, foreign_id, foreign_limits, has_text
from selftune_build.reading.evals.source import EvalReading, Source, note_unknown_fields

FORMAT = "evals.json"

_PROMPTS = ("prompt", "question", "query", "input")
_ASSERTIONS = ("expectations", "assertions", "expected_behavior", "tool_assertions")
_EXPECTED = ("expected_output", "ground_truth")
_CHECKED = frozenset({*_ASSERTIONS, *_EXPECTED})
_KEYS_SHOWN = 5
_KNOWN = frozenset(
    {*_PROMPTS, *_ASSERTIONS, *_EXPECTED, "id", "name", "description", "tags", "files", "should_trigger", "expected_skill"}
    | LIMITS
)
_KNOWN_AROUND = frozenset({"evals", "cases", "skill_name", "skill", "name", "description", "version", "$schema"})


class _Trigger(Struct, frozen=True):
    """Whether the skill should trigger, and whether the case is about another one."""

    should: bool | None
    other: bool = False


def read_evals_json(source: Source) -> EvalReading:
    """The cases of one file. Never raises: what cannot be used is an error finding and a case that is never a pass."""
    entries = list(_entries(source.document.data))
    if isinstance(source.document.data, dict) and entries and entries[0][0]:
        _note_around(source, source.document.data)
    note_unknown_fields(source, entries, _KNOWN)
    return EvalReading(tuple(_case(source, entry, pointer) for pointer, entry in entries), tuple(source.findings))


def _entries(data: Any) -> list[tuple[str, dict[str, Any]]]:
    if isinstance(data, list):
        return [(f"/{index}", entry) for index, entry in enumerate(data)]
    key = next((key for key in ("evals", "cases") if isinstance(data.get(key), list)), None)
    return [("", data)] if key is None else [(f"/{key}/{index}", entry) for index, entry in enumerate(data[key])]


def _note_around(source: Source, data: dict[str, Any]) -> None:
    note_unknown_fields(source, [("", data)], _KNOWN_AROUND)
    name = data.get("skill_name", data.get("skill"))
    if has_text(name) and name != source.package_name:
        message = f"the file says it is for `{name[:60]}`; it is read for this package"
        source.note("eval-names-other-skill", Severity.WARNING, message, "")


def _case(source: Source, entry: dict[str, Any], pointer: str) -> Case:
    prompt = next((entry[name] for name in _PROMPTS if has_text(entry.get(name))), "")
    trigger = _trigger(source, entry, pointer)
    files, missing = found_files(source, entry.get("files"), prompt, f"{pointer}/files")
    no_prompt = _without_prompt(entry, prompt)
    draft = Draft(
        id=foreign_id(source, entry, prompt, pointer),
        pointer=pointer,
        prompt=prompt,
        checks=_checks(source, entry, pointer) if _CHECKED & entry.keys() else (),
        files=files,
        should_trigger=trigger.should,
        of_other_skill=trigger.other,
        limits=foreign_limits(source, entry, pointer),
        tags=_tags(entry.get("tags")),
        unusable=(NO_PROMPT, no_prompt) if no_prompt else (NO_FILE, missing) if missing else None,
    )
    return finished(source, draft)


def _without_prompt(entry: dict[str, Any], prompt: str) -> str | None:
    if "\0" in prompt:
        return "its prompt holds a NUL character"
    if prompt:
        return None
    if "command" in entry:
        return "it has a command and no prompt; write it as a unit test"
    keys = ", ".join(f"`{one_line(key, 40)}`" for key in list(entry)[:_KEYS_SHOWN])
    return f"it has no `prompt`, only {keys}" if keys else "it has no `prompt`"


def _trigger(source: Source, entry: dict[str, Any], pointer: str) -> _Trigger:
    """`should_trigger` where it is a boolean, else `expected_skill`: this package yes, null no, another name nothing."""
    declared = entry.get("should_trigger")
    if isinstance(declared, bool):
        return _Trigger(declared)
    if declared is not None:
        message = "`should_trigger` is neither true nor false"
        source.note("eval-trigger-not-used", Severity.WARNING, message, f"{pointer}/should_trigger")
    if "expected_skill" not in entry:
        return _Trigger(None)
    expected = entry["expected_skill"]
    if expected is None or expected == source.package_name:
        return _Trigger(expected is not None)
    return _Trigger(None, other=True)


def _checks(source: Source, entry: dict[str, Any], pointer: str) -> tuple[Check, ...]:
    """Every assertion, whichever lists it stands in; the expected output is one only where there is no other."""
    items = [(below, item) for name in _ASSERTIONS for below, item in _items(entry.get(name), f"{pointer}/{name}")]
    if items:
        return tuple(foreign_check(source, item, below) for below, item in items)
    expected = [name for name in _EXPECTED if _says(entry.get(name))]
    return tuple(_expected_output(source, entry[name], f"{pointer}/{name}") for name in expected[:1])


def _items(value: Any, pointer: str) -> list[tuple[str, Any]]:
    """The elements of a list; anything else but nothing is one assertion of its own."""
    if isinstance(value, list):
        return [(f"{pointer}/{index}", item) for index, item in enumerate(value)]
    return [(pointer, value)] if _says(value) else []


def _says(value: Any) -> bool:
    return has_text(value) if isinstance(value, str) else value not in (None, [], {})


def _expected_output(source: Source, value: Any, pointer: str) -> Check:
    text = value if isinstance(value, str) else as_json(value)
    return Check("sentence", {"text": f"The outcome is what was expected: {text.strip()}"}, origin=source.origin(pointer))


def _tags(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
