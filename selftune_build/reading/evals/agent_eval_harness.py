"""agent-eval-harness: how a skill is executed, a folder for each case, and judges for all of them.

Written from `eval.yaml`, `eval/*/eval.yaml`, `docs/reference/eval-yaml.md` and `agent_eval/config.py` of
github.com/opendatahub-io/agent-eval-harness (v1.41): `{execution: {mode, skill | prompt, arguments, timeout}, runner, dataset:
{path, schema}, judges: [{name, check | prompt | llm_rubric | builtin | …}], thresholds}`; each case is a folder below the
dataset with `input.yaml`. A data set that is not there is no case, and never a pass.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any

from selftune_build.late import late
from selftune_build.limits import SUITE_PARTS
from selftune_build.model.case import Case, Check
from selftune_build.model.finding import Severity
from selftune_build.reading.evals.counterpart import counterpart, not_supported
from selftune_build.reading.evals.draft import NO_COUNTERPART, Draft, entries, finished, mapping
from selftune_build.reading.evals.foreign import foreign_id, foreign_limits, has_text
from selftune_build.reading.evals.source import EvalReading, Source, note_unknown_fields

FORMAT = "agent-eval-harness"

_INPUTS = ("input.yaml", "input.yml", "input.json")
_KNOWN_AROUND = frozenset({"name", "description", "title", "execution", "runner", "dataset", "judges", "outputs", "thresholds"})
_FIELD = late(r"\{\{\s*input\.([\w-]+)\s*\}\}|\{([\w-]+)\}")
_ABOUT = frozenset({"name", "description", "type", "feedback_type", "score_range", "model", "samples"})


def is_suite(data: dict[str, Any]) -> bool:
    """Told by how it is executed, with a runner or a data set."""
    return isinstance(data.get("execution"), dict) and any(isinstance(data.get(key), dict) for key in ("runner", "dataset"))


def read_agent_eval_harness(source: Source) -> EvalReading:
    """One case for each folder of the data set. Never raises."""
    data = source.document.data
    note_unknown_fields(source, [("", data)], _KNOWN_AROUND)
    cases = tuple(_case(source, part) for part in _inputs(source))
    if not cases:
        message = "its data set holds no case here: nothing is measured by it"
        source.note("eval-part-missing", Severity.WARNING, message, "/dataset", "add the data set, or remove the suite")
    if data.get("thresholds"):
        source.note("eval-score-not-read", Severity.NOTE, "`thresholds` are not read: gates decide here", "/thresholds")
    return EvalReading(cases, tuple(source.findings))


def _inputs(source: Source) -> Iterator[Source]:
    declared = mapping(source.document.data.get("dataset")).get("path")
    folder = source.beside(declared) if has_text(declared) else None
    inside = source.below(folder) if folder else ()
    paths = [path for path in inside if _is_input(posixpath.relpath(path, folder))]
    for path in paths[:SUITE_PARTS]:
        part = source.part(path)
        if part is not None:
            yield part


def _is_input(path: str) -> bool:
    return path.count("/") == 1 and posixpath.basename(path) in _INPUTS


def _case(source: Source, part: Source) -> Case:
    fields = mapping(part.document.data)
    execution = source.document.data["execution"]
    prompt, missing = _prompt(execution, fields)
    draft = Draft(
        id=foreign_id(part, {"name": posixpath.basename(part.folder)}, prompt, ""),
        pointer="",
        prompt=prompt,
        checks=[_check(source, mapping(judge), below) for below, judge in entries(source.document.data.get("judges"), "/judges")],
        limits=foreign_limits(source, {"timeout": execution.get("timeout")}, "/execution"),
        unusable=(NO_COUNTERPART, missing) if missing else None,
    )
    return finished(part, draft)


def _prompt(execution: dict[str, Any], fields: dict[str, Any]) -> tuple[str, str | None]:
    """The prompt, or the arguments of the skill, with the fields of the case filled in; and why it cannot be asked."""
    if execution.get("steps") or execution.get("mode", "case") != "case":
        return str(fields.get("prompt", "")), "it runs several steps or all cases together"
    template = next((execution[key] for key in ("prompt", "arguments") if has_text(execution.get(key))), "{prompt}")
    unknown = [name for found in _FIELD.finditer(template) for name in found.groups() if name and name not in fields]
    if unknown:
        return str(fields.get("prompt", "")), f"its prompt wants `{unknown[0][:40]}`, which the case does not have"
    return _FIELD.sub(lambda found: str(fields[found[1] or found[2]]), template).strip(), None


def _check(source: Source, judge: dict[str, Any], pointer: str) -> Check:
    """A judge that is one instruction; those with code, conditions or annotations are named."""
    said = {key for key in ("prompt", "llm_rubric") if has_text(judge.get(key))}
    if len(said) == 1 and not set(judge) - _ABOUT - said and not _is_template(judge):
        (key,) = said
        return counterpart(source, "sentence", {"text": judge[key]}, pointer)
    kinds = sorted(set(judge) - _ABOUT)
    return not_supported(source, f"judge with {' and '.join(kinds)}" if kinds else "judge", judge, pointer)


def _is_template(judge: dict[str, Any]) -> bool:
    return any("{{" in str(judge.get(key)) for key in ("prompt", "llm_rubric"))
