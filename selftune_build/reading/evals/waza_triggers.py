"""The trigger tests of waza: prompts on which a skill should activate, and prompts on which it should not.

Written from `examples/code-explainer/trigger_tests.yaml` and `internal/trigger` of github.com/microsoft/waza (2026-03-05):
`{skill, should_trigger_prompts: [{prompt, reason, confidence}], should_not_trigger_prompts: […]}`.
"""

from __future__ import annotations

from typing import Any

from selftune_build.model.case import Case
from selftune_build.model.finding import Severity
from selftune_build.reading.evals.draft import Draft, entries, finished, mapping
from selftune_build.reading.evals.foreign import foreign_id, has_text
from selftune_build.reading.evals.source import EvalReading, Source, note_unknown_fields

FORMAT = "waza-triggers"

_LISTS = {"should_trigger_prompts": True, "should_not_trigger_prompts": False}
_KNOWN = frozenset({"id", "prompt", "reason", "confidence"})


def is_suite(data: dict[str, Any]) -> bool:
    """Told by either of its two lists."""
    return any(isinstance(data.get(key), list) for key in _LISTS)


def read_waza_triggers(source: Source) -> EvalReading:
    """One case for each prompt; how sure its author was is a tag, and weighs nothing. Never raises."""
    data = source.document.data
    note_unknown_fields(source, [("", data)], frozenset({"skill", "name", "description", *_LISTS}))
    note_other_skill(source, data.get("skill"))
    tests = [(pointer, test, key) for key in _LISTS for pointer, test in entries(data.get(key), f"/{key}")]
    note_unknown_fields(source, [(pointer, test) for pointer, test, _ in tests], _KNOWN)
    return EvalReading(tuple(_case(source, test, pointer, _LISTS[key]) for pointer, test, key in tests), tuple(source.findings))


def note_other_skill(source: Source, name: Any) -> None:
    """Say that a suite names another skill than the one that it is read for."""
    if has_text(name) and name != source.package_name:
        message = f"the file says it is for `{name[:60]}`; it is read for this package"
        source.note("eval-names-other-skill", Severity.WARNING, message, "")


def _case(source: Source, test: Any, pointer: str, should: bool) -> Case:
    entry = {"prompt": test} if isinstance(test, str) else mapping(test)
    prompt = entry["prompt"] if has_text(entry.get("prompt")) else ""
    sure = entry.get("confidence")
    draft = Draft(
        id=foreign_id(source, entry, prompt, pointer),
        pointer=pointer,
        prompt=prompt,
        should_trigger=should,
        tags=(f"confidence:{sure}",) if has_text(sure) else (),
    )
    return finished(source, draft)
