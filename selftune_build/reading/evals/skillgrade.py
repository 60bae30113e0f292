"""skillgrade: tasks with an instruction, files of the workspace and graders.

Written from `eval.yaml`, `examples/*/eval.yaml` and `skills/skillgrade-setup/references/eval-yaml-spec.md` of
github.com/mgechev/skill-eval (2026-05-04): `{version, skill?, defaults, tasks: [{name, instruction, workspace: [{src, dest,
chmod}], graders: [{type: deterministic | llm_rubric, run, setup, rubric, model, weight}], timeout}]}`. A text that names a file
stands for what is in it; a deterministic grader prints a JSON score.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from selftune_build.model.case import Case, Check
from selftune_build.model.finding import Severity
from selftune_build.model.manifest import Limits
from selftune_build.reading.evals.case_files import package_file, placed_files
from selftune_build.reading.evals.counterpart import counterpart, decimal, not_supported, whole_weights
from selftune_build.reading.evals.draft import NO_FILE, Draft, entries, finished, mapping
from selftune_build.reading.evals.foreign import foreign_id, foreign_limits, has_text
from selftune_build.reading.evals.source import EvalReading, Source, note_unknown_fields

FORMAT = "skillgrade"

_KNOWN_AROUND = frozenset({"version", "skill", "defaults", "tasks", "name", "description"})
_KNOWN = frozenset({"name", "instruction", "workspace", "graders", "timeout", "id"})
_KNOWN_OF_GRADER = frozenset({"type", "run", "setup", "rubric", "weight", "name"})
_THRESHOLD = "0.8"
_LONGEST_PATH = 300


def is_suite(data: dict[str, Any]) -> bool:
    """Told by tasks with an instruction."""
    tasks = data.get("tasks")
    return isinstance(tasks, list) and bool(tasks) and all(isinstance(task, dict) and "instruction" in task for task in tasks)


def read_skillgrade(source: Source) -> EvalReading:
    """One case for each task. Never raises."""
    data = source.document.data
    tasks = entries(data["tasks"], "/tasks")
    note_unknown_fields(source, [("", data)], _KNOWN_AROUND)
    note_unknown_fields(source, tasks, _KNOWN)
    return EvalReading(tuple(_case(source, task, pointer) for pointer, task in tasks), tuple(source.findings))


def _case(source: Source, task: dict[str, Any], pointer: str) -> Case:
    prompt = _text(source, task.get("instruction"))
    graders = entries(task.get("graders"), f"{pointer}/graders")
    note_unknown_fields(source, graders, _KNOWN_OF_GRADER)
    files, missing = placed_files(source, _wanted(source, task, pointer), (source.folder, source.home))
    weights = whole_weights([mapping(grader).get("weight", 1) for _, grader in graders])
    draft = Draft(
        id=foreign_id(source, task, prompt, pointer),
        pointer=pointer,
        prompt=prompt,
        checks=[_check(source, mapping(grader), below, weight) for (below, grader), weight in zip(graders, weights, strict=True)],
        files=files,
        limits=_limits(source, task, pointer),
        unusable=(NO_FILE, missing) if missing else None,
    )
    return finished(source, draft)


def _limits(source: Source, task: dict[str, Any], pointer: str) -> Limits | None:
    default = mapping(source.document.data.get("defaults")).get("timeout")
    return foreign_limits(source, {"timeout": task.get("timeout", default)}, pointer)


def _wanted(source: Source, task: dict[str, Any], pointer: str) -> Iterator[tuple[str, Any, Any]]:
    for below, entry in entries(task.get("workspace"), f"{pointer}/workspace"):
        file = mapping(entry)
        if "chmod" in file:
            source.note_once("eval-field-not-read", Severity.NOTE, "`chmod` is not read: files are placed as they are", below)
        yield below, file.get("src"), file.get("dest")


def _check(source: Source, grader: dict[str, Any], pointer: str, weight: int) -> Check:
    kind = str(grader.get("type"))
    if "setup" in grader:
        return not_supported(source, f"`{kind}` with `setup`", grader, pointer)
    least = decimal(mapping(source.document.data.get("defaults")).get("threshold")) or _THRESHOLD
    if kind == "deterministic" and has_text(grader.get("run")):
        run = ["sh", "-c", _text(source, grader["run"])]
        return counterpart(source, "score", {"run": run, "min": least}, pointer, weight=weight)
    if kind == "llm_rubric" and has_text(grader.get("rubric")):
        criteria = [{"text": _text(source, grader["rubric"]), "weight": 1}]
        return counterpart(source, "rubric", {"criteria": criteria, "min": least}, pointer, weight=weight)
    return not_supported(source, f"`{kind}`", grader, pointer)


def _text(source: Source, value: Any) -> str:
    """The text itself, or what is in the file that it names."""
    if not has_text(value):
        return ""
    path = source.beside(value.strip()) if len(value) < _LONGEST_PATH and "\n" not in value.strip() else None
    content = package_file(source.read, path) if path else None
    return value if content is None else content.decode("utf-8", "replace")
