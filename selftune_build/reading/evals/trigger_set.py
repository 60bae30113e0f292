"""Trigger sets: a list of queries and whether the skill should trigger on them.

Written from `skills/skill-creator/SKILL.md` and `scripts/run_eval.py` of github.com/anthropics/skills (2026-07-01), and from the
`trigger-eval.json` files of github.com/kouko/monkey-skills: `[{query, should_trigger}]`.
"""

from __future__ import annotations

from typing import Any

from selftune_build.model.case import Case
from selftune_build.reading.evals.draft import Draft, finished
from selftune_build.reading.evals.foreign import foreign_id, has_text
from selftune_build.reading.evals.source import EvalReading, Source, note_unknown_fields

FORMAT = "trigger-set"

_KNOWN = frozenset({"id", "name", "query", "should_trigger"})


def read_trigger_set(source: Source) -> EvalReading:
    """One case for each query. Never raises: what cannot be used is an error finding and a case that is never a pass."""
    entries = [(f"/{index}", entry) for index, entry in enumerate(source.document.data)]
    note_unknown_fields(source, entries, _KNOWN)
    return EvalReading(tuple(_case(source, entry, pointer) for pointer, entry in entries), tuple(source.findings))


def _case(source: Source, entry: dict[str, Any], pointer: str) -> Case:
    query, should_trigger = entry.get("query"), entry.get("should_trigger")
    prompt = query if has_text(query) else ""
    draft = Draft(
        id=foreign_id(source, entry, prompt, pointer),
        pointer=pointer,
        prompt=prompt,
        should_trigger=should_trigger if isinstance(should_trigger, bool) else None,
    )
    return finished(source, draft)
