"""skill-up: a suite that names its cases, each a file of its own.

Written from `docs/guide/writing-evals.md`, `skills/skill-upper/references/case-yaml.md` and `judge-types.md` of
github.com/alibaba/skill-up, and from `evals/` of github.com/Sxuan-Coder/alibaba-java-development-guide: in the suite
`{schema_version: v1alpha1, environment, engine, cases: {files, defaults}}`, in a case `{id, title, input: {prompt | turns},
context, constraints, expect, judge}`. Paths start at the skill. A case without an `id` is called what its file is called.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any

from selftune_build.limits import SUITE_PARTS
from selftune_build.model.case import Case, CaseFile, Check
from selftune_build.model.finding import Severity
from selftune_build.reading.evals.case_files import inline_file
from selftune_build.reading.evals.draft import NO_COUNTERPART, NO_FILE, Draft, entries, finished, mapping, texts
from selftune_build.reading.evals.foreign import foreign_id, foreign_limits, has_text
from selftune_build.reading.evals.skill_up_judges import expected, judged
from selftune_build.reading.evals.source import EvalReading, Source, note_unknown_fields, note_unknown_in_parts

FORMAT = "skill-up"

_KNOWN_AROUND = frozenset({"schema_version", "cases", "report", "benchmark", "name", "description"})
_KNOWN = frozenset({"id", "title", "description", "tag", "tags", "input", "context", "constraints", "expect", "judge"})
_GIT = (("git", "init", "--quiet"),)


def is_suite(data: dict[str, Any]) -> bool:
    """Told by the version of its schema and the list of its cases."""
    return str(data.get("schema_version")).startswith("v1") and isinstance(mapping(data.get("cases")).get("files"), list)


def read_skill_up(source: Source) -> EvalReading:
    """One case for each file that is named. Never raises."""
    data = source.document.data
    note_unknown_fields(source, [("", data)], _KNOWN_AROUND)
    defaults = mapping(data["cases"].get("defaults"))
    parts = list(_parts(source))
    note_unknown_in_parts(((part, "", part.document.data) for part in parts), _KNOWN)
    return EvalReading(tuple(_case(part, defaults) for part in parts), tuple(source.findings))


def _parts(source: Source) -> Iterator[Source]:
    for below, path in entries(source.document.data["cases"]["files"], "/cases/files")[:SUITE_PARTS]:
        part = _part(source, path) if has_text(path) else None
        if part is None:
            message = f"its case `{str(path)[:60]}` is not there"
            source.note("eval-part-missing", Severity.ERROR, message, below, "paths start at the folder with SKILL.md")
        elif isinstance(part.document.data, dict):
            yield part


def _part(source: Source, path: str) -> Source | None:
    for base in (source.home, posixpath.dirname(source.folder), source.folder):
        part = source.part(posixpath.join(base, path))
        if part is not None:
            return part
    return None


def _case(part: Source, defaults: dict[str, Any]) -> Case:
    data = part.document.data
    prompt, conversation = _asked(mapping(data.get("input")))
    files, setup, missing = _context(mapping(data.get("context")))
    constraints = {**defaults, **mapping(data.get("constraints"))}
    name = posixpath.splitext(posixpath.basename(part.path))[0]
    draft = Draft(
        id=foreign_id(part, {"id": data.get("id", name)}, prompt, ""),
        pointer="",
        prompt=prompt,
        checks=_checks(part, data, defaults),
        files=files,
        setup=setup,
        limits=foreign_limits(part, {key: constraints.get(key) for key in ("timeout_seconds", "max_turns")}, "/constraints"),
        tags=(*texts(data.get("tag")), *texts(data.get("tags"))),
        unusable=(NO_COUNTERPART, conversation) if conversation else (NO_FILE, missing) if missing else None,
    )
    return finished(part, draft)


def _checks(part: Source, data: dict[str, Any], defaults: dict[str, Any]) -> Iterator[Check | None]:
    """What every case expects, what this one does, and its judge."""
    yield from expected(part, mapping(defaults.get("expect")), "/expect")
    yield from expected(part, mapping(data.get("expect")), "/expect")
    yield from judged(part, mapping(data.get("judge")), "/judge")


def _asked(asked: dict[str, Any]) -> tuple[str, str | None]:
    if has_text(asked.get("prompt")):
        return asked["prompt"], None
    turns = [mapping(turn).get("content") for _, turn in entries(asked.get("turns"), "")]
    spoken = texts(turns)
    if len(spoken) > 1:
        return spoken[0], f"it is a conversation of {len(spoken)} turns, and a case here is one prompt"
    return (spoken[0] if spoken else ""), None


def _context(context: dict[str, Any]) -> tuple[tuple[CaseFile, ...], tuple[tuple[str, ...], ...], str | None]:
    """Inline files and `git init`; anything more cannot be staged."""
    git = mapping(context.get("git"))
    more = sorted({*(set(context) - {"files", "git"}), *(f"git.{key}" for key in set(git) - {"init"})})
    if more:
        return (), (), f"its context has {' and '.join(f'`{key[:40]}`' for key in more)}, which is not staged here"
    files: list[CaseFile] = []
    for path, content in mapping(context.get("files")).items():
        made = inline_file(path, content)
        if isinstance(made, str):
            return (), (), made
        files.append(made)
    return tuple(files), _GIT if git.get("init") is True else (), None
