"""waza: a suite whose tasks are files of their own, with graders for all of them and for each.

Written from `schemas/eval.schema.json`, `schemas/task.schema.json`, `internal/graders` and `examples/*/eval.yaml` of
github.com/microsoft/waza (2026-03-05): `{name, skill, version, config, metrics, graders, tasks: [glob]}` and in each task
`{id, name, inputs: {prompt, files, context}, expected, graders, enabled, timeout_seconds, tags, context_dir}`. Tasks written in
the suite itself (`skills/waza-interactive/tests/eval.yaml`) are read as well. Trigger tests are a format of their own.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any

from selftune_build.limits import SUITE_PARTS
from selftune_build.model.case import Case, CaseFile, Check
from selftune_build.model.finding import Severity
from selftune_build.reading.evals.case_files import inline_file, placed_files
from selftune_build.reading.evals.draft import NO_FILE, Draft, entries, finished, mapping, texts
from selftune_build.reading.evals.foreign import foreign_id, foreign_limits, has_text
from selftune_build.reading.evals.source import EvalReading, Source, note_unknown_fields, note_unknown_in_parts
from selftune_build.reading.evals.tool_calls import Activation, agreed
from selftune_build.reading.evals.waza_graders import expected, graded
from selftune_build.reading.evals.waza_triggers import note_other_skill
from selftune_build.relpath import glob_fault, match_glob

FORMAT = "waza"

_KNOWN_AROUND = frozenset({"name", "description", "skill", "version", "config", "graders", "tasks", "metrics", "baseline"})
_KNOWN = frozenset(
    {"id", "name", "description", "enabled", "context_dir", "timeout_seconds", "tags", "inputs", "expected", "graders"}
    | {"prompt", "validators"}
)
_KNOWN_OF_INPUTS = frozenset({"prompt", "files"})


def is_suite(data: dict[str, Any]) -> bool:
    """Told by a skill, tasks, and how they are executed."""
    tasks, executed = data.get("tasks"), isinstance(data.get("config"), dict) or "executor" in data
    return has_text(data.get("skill")) and executed and isinstance(tasks, list) and all(map(_is_task, tasks))


def _is_task(task: Any) -> bool:
    """A glob, or a task in the suite itself; what it reports of its runs looks alike and has no prompts."""
    return isinstance(task, str) or (isinstance(task, dict) and bool({"inputs", "prompt"} & set(task)))


def read_waza(source: Source) -> EvalReading:
    """One case for each task that is enabled, wherever it stands. Never raises."""
    data = source.document.data
    note_unknown_fields(source, [("", data)], _KNOWN_AROUND)
    note_other_skill(source, data["skill"])
    tasks = [task for below, entry in entries(data["tasks"], "/tasks") for task in _tasks(source, entry, below)]
    note_unknown_in_parts(tasks, _KNOWN)
    inputs = ((part, f"{pointer}/inputs", task.get("inputs")) for part, pointer, task in tasks)
    note_unknown_in_parts(inputs, _KNOWN_OF_INPUTS)
    cases = tuple(_case(source, part, task, pointer) for part, pointer, task in tasks if _enabled(part, task, pointer))
    return EvalReading(cases, tuple(source.findings))


def _tasks(source: Source, entry: Any, pointer: str) -> Iterator[tuple[Source, str, dict[str, Any]]]:
    """The tasks of one entry: it is one itself, or a glob of the files that are."""
    if isinstance(entry, dict):
        yield source, pointer, entry
        return
    pattern = source.beside(entry) if isinstance(entry, str) else None
    fitting = [] if pattern is None or glob_fault(pattern) else [path for path in source.files if match_glob(pattern, path)]
    if not fitting:
        message = f"no task fits `{str(entry)[:60]}`"
        source.note("eval-part-missing", Severity.ERROR, message, pointer, "correct the glob, or remove it")
    for path in fitting[:SUITE_PARTS]:
        part = source.part(path)
        if part is not None and isinstance(part.document.data, dict):
            yield part, "", part.document.data


def _enabled(part: Source, task: dict[str, Any], pointer: str) -> bool:
    if task.get("enabled") is not False:
        return True
    part.note("case-disabled", Severity.NOTE, f"the task `{str(task.get('id'))[:60]}` is disabled and is no case", pointer)
    return False


def _case(suite: Source, part: Source, task: dict[str, Any], pointer: str) -> Case:
    inputs = mapping(task.get("inputs"))
    prompt = next((text for text in (inputs.get("prompt"), task.get("prompt")) if has_text(text)), "")
    found = list(_graded(suite, part, task, pointer))
    should = None
    for each in found:
        should = agreed(should, each.should_trigger)
    files, missing = _files(suite, part, task, pointer)
    declared = task.get("timeout_seconds", mapping(suite.document.data.get("config")).get("timeout_seconds"))
    draft = Draft(
        id=foreign_id(part, task, prompt, pointer),
        pointer=pointer,
        prompt=prompt,
        checks=_of(found),
        files=files,
        should_trigger=should,
        of_other_skill=any(each.checks for each in found),
        limits=foreign_limits(part, {"timeout_seconds": declared}, pointer),
        tags=tuple(texts(task.get("tags"))),
        unusable=(NO_FILE, missing) if missing else None,
    )
    return finished(part, draft)


def _of(found: list[Activation]) -> Iterator[Check]:
    for each in found:
        yield from each.checks


def _graded(suite: Source, part: Source, task: dict[str, Any], pointer: str) -> Iterator[Activation]:
    """What the suite asks of every task, what the task asks, and what it expects."""
    for below, grader in entries(suite.document.data.get("graders"), "/graders"):
        yield graded(suite, mapping(grader), below)
    for key in ("graders", "validators"):
        for below, grader in entries(task.get(key), f"{pointer}/{key}"):
            yield graded(part, mapping(grader), below)
    yield expected(part, task.get("expected"), f"{pointer}/expected")


def _files(suite: Source, part: Source, task: dict[str, Any], pointer: str) -> tuple[tuple[CaseFile, ...], str | None]:
    """Inline files, and files of the fixtures: of the task's `context_dir`, else of `fixtures/` beside the suite."""
    inline: list[CaseFile] = []
    wanted: list[tuple[str, Any, Any]] = []
    for below, entry in entries(mapping(task.get("inputs")).get("files"), f"{pointer}/inputs/files"):
        file = mapping(entry)
        if "content" not in file:
            wanted.append((below, file.get("path"), file.get("path")))
            continue
        made = inline_file(file.get("path"), file["content"])
        if isinstance(made, str):
            return (), made
        inline.append(made)
    declared = task.get("context_dir")
    folder = suite.beside(declared) if has_text(declared) else None
    bases = (folder or posixpath.join(suite.folder, "fixtures"), suite.folder, part.folder)
    placed, missing = placed_files(part, wanted, bases)
    return (*inline, *placed), missing
