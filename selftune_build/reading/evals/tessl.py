"""Tessl: a folder with the task in `task.md` and what it is judged by in `criteria.json`.

Written from `evals/*/task.md` and `evals/*/criteria.json` of github.com/igmarin/rails-agent-skills and
github.com/jbaruch/speaker-toolkit: `{context, type: "weighted_checklist", checklist: [{name, description, max_score}]}`. Every
entry of the checklist is a sentence for a judge with its score as weight; there a task has a share of its points, here every
sentence has to hold.
"""

from __future__ import annotations

import posixpath
from typing import Any

from selftune_build.model.case import Check
from selftune_build.model.finding import Severity
from selftune_build.reading.evals.counterpart import counterpart, not_supported, whole_weights
from selftune_build.reading.evals.data_file import BODY
from selftune_build.reading.evals.draft import Draft, entries, finished, mapping
from selftune_build.reading.evals.foreign import foreign_id, has_text
from selftune_build.reading.evals.source import EvalReading, Source, note_unknown_fields

FORMAT = "tessl"
TASK = "task.md"

_KNOWN = frozenset({"context", "type", "checklist"})
_KNOWN_OF_ENTRY = frozenset({"name", "description", "max_score"})


def is_suite(data: dict[str, Any]) -> bool:
    """Told by a checklist whose entries have a score; the task has to lie beside it."""
    listed = data.get("checklist")
    return isinstance(listed, list) and all(isinstance(entry, dict) and "max_score" in entry for entry in listed)


def read_tessl(source: Source) -> EvalReading:
    """One case for the folder, named as the folder is. Never raises."""
    data = source.document.data
    checklist = entries(data["checklist"], "/checklist")
    note_unknown_fields(source, [("", data)], _KNOWN)
    note_unknown_fields(source, checklist, _KNOWN_OF_ENTRY)
    weights = whole_weights([entry["max_score"] for _, entry in checklist])
    name = posixpath.basename(source.folder)
    prompt = _task(source)
    draft = Draft(
        id=foreign_id(source, {"name": name}, prompt, ""),
        pointer="",
        prompt=prompt,
        checks=[_sentence(source, entry, below, weight) for (below, entry), weight in zip(checklist, weights, strict=True)],
    )
    source.note("eval-score-not-read", Severity.NOTE, "a share of the points is not measured: every sentence has to hold", "")
    return EvalReading((finished(source, draft),), tuple(source.findings))


def _task(source: Source) -> str:
    part = source.part(posixpath.join(source.folder, TASK))
    text = mapping(part.document.data).get(BODY) if part else None
    return text if has_text(text) else ""


def _sentence(source: Source, entry: dict[str, Any], pointer: str, weight: int) -> Check:
    text = entry.get("description") if has_text(entry.get("description")) else entry.get("name")
    if not has_text(text):
        return not_supported(source, "checklist entry without text", entry, pointer)
    return counterpart(source, "sentence", {"text": text}, pointer, weight=weight)
