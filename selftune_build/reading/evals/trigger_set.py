"""Trigger sets: a list of queries and whether the skill should trigger on them."""

from __future__ import annotations

from typing import Any

from selftune_build.model.case import Case
from selftune_build.model.finding import Severity
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
    query = entry.get("query")
    should_trigger = entry.get("should_trigger")
    if not has_text(query):
        source.note("case-without-prompt", Severity.ERROR, "a case without a query", pointer, "write what a user would ask")
    elif not isinstance(should_trigger, bool):
        source.note("case-without-check", Severity.ERROR, "a query that does not say whether the skill should trigger", pointer)
    usable = has_text(query) and isinstance(should_trigger, bool)
    return Case(
        id=foreign_id(source, entry, query if has_text(query) else "", pointer),
        prompt=query if has_text(query) else "",
        should_trigger=should_trigger if usable else None,
        origin=source.origin(pointer),
    )
