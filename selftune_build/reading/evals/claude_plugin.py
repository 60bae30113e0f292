"""The cases of `claude plugin eval`: a folder each, with `prompt.md` or `case.yaml` and one file for each grader.

Written from the page «Test plugins with evals» of code.claude.com/docs (Claude Code 2.1.269), and from `plugins/*/evals/*/` of
github.com/trailofbits/skills. Where both files are there, the frontmatter of `prompt.md` wins over the fields of `case.yaml`, its
body is the prompt, and `graders/*.md` come after the graders that `case.yaml` lists.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator
from typing import Any

from selftune_build.limits import SUITE_PARTS
from selftune_build.model.case import Case, CaseFile, Check
from selftune_build.model.finding import Severity
from selftune_build.reading.evals.case_files import package_file, placed_files
from selftune_build.reading.evals.claude_graders import graded
from selftune_build.reading.evals.counterpart import not_supported, whole_weights
from selftune_build.reading.evals.data_file import BODY, FRONTMATTER
from selftune_build.reading.evals.draft import NO_COUNTERPART, NO_FILE, Draft, entries, finished, mapping, texts
from selftune_build.reading.evals.foreign import foreign_id, foreign_limits, has_text
from selftune_build.reading.evals.source import EvalReading, Source, note_unknown_fields
from selftune_build.reading.evals.tool_calls import agreed

FORMAT = "claude-plugin-eval"
PROMPT = "prompt.md"
CASE = "case.yaml"
GRADERS = "graders"

_ABOUT = frozenset({"schema_version", "name", "description", "tags", "runs", "expected_outcome", "plugins", "model"})
_LIMITS = frozenset({"max_turns", "timeout_seconds"})
_KNOWN = _ABOUT | _LIMITS | {"allowed_tools", "execution", "context", "graders", "prompt"}

_Grader = tuple[Source, str, dict[str, Any]]


def is_case_text(data: dict[str, Any], neighbours: Collection[str]) -> bool:
    """Whether a Markdown file is a prompt: its graders or its `case.yaml` lie beside it, or its frontmatter limits a run."""
    front = mapping(data[FRONTMATTER])
    return (
        GRADERS in neighbours
        or CASE in neighbours
        or bool(set(front) & (_LIMITS | {"allowed_tools"}) and not {"type"} & set(front))
    )


def is_case_file(data: dict[str, Any]) -> bool:
    """Told by the version of its schema, and a prompt, graders or a context."""
    return str(data.get("schema_version")).startswith("1.") and bool({"execution", "graders", "context"} & set(data))


def read_claude_plugin(source: Source) -> EvalReading:
    """The one case of the folder. Never raises."""
    markdown = source.document.data.get(FRONTMATTER) is not None
    other = source.part(posixpath.join(source.folder, CASE if markdown else PROMPT))
    text, file = (source, other) if markdown else (other, source)
    fields = {**_fields(mapping(file.document.data) if file else {}), **_front(text)}
    note_unknown_fields(source, [("", fields)], _KNOWN)
    return EvalReading((_case(source, text, file, fields),), tuple(source.findings))


def _fields(case: dict[str, Any]) -> dict[str, Any]:
    return {**{key: value for key, value in case.items() if key != "execution"}, **mapping(case.get("execution"))}


def _front(text: Source | None) -> dict[str, Any]:
    return mapping(mapping(text.document.data).get(FRONTMATTER)) if text else {}


def _case(source: Source, text: Source | None, file: Source | None, fields: dict[str, Any]) -> Case:
    body = mapping(text.document.data).get(BODY) if text else None
    prompt = next((found for found in (body, fields.get("prompt")) if has_text(found)), "")
    graders = [*_listed(file), *_lying(source)]
    weights = whole_weights([grader.get("weight", 1) for _, _, grader in graders])
    found = [graded(part, grader, below, weight) for (part, below, grader), weight in zip(graders, weights, strict=True)]
    should = None
    for each in found:
        should = agreed(should, each.should_trigger)
    context = mapping(fields.get("context"))
    setup, unusable = _context(source, context)
    files, missing = _folders(source, context)
    checks: list[Check | None] = [check for each in found for check in each.checks]
    draft = Draft(
        id=foreign_id(source, {"name": fields.get("name") or posixpath.basename(source.folder)}, prompt, ""),
        pointer="",
        prompt=prompt,
        checks=[*checks, *_other_prompt(source, fields)],
        files=files,
        setup=setup,
        should_trigger=should,
        limits=foreign_limits(source, {key: fields.get(key) for key in _LIMITS}, ""),
        tags=tuple(texts(fields.get("tags"))),
        unusable=(NO_COUNTERPART, unusable) if unusable else (NO_FILE, missing) if missing else None,
    )
    return finished(source, draft)


def _folders(source: Source, context: dict[str, Any]) -> tuple[tuple[CaseFile, ...], str | None]:
    """The folders that the agent may read, as files of its workspace under the names that they have beside the case."""
    names = texts(context.get("add_dirs"))
    if names:
        source.note(
            "eval-scaffold", Severity.NOTE, "folders of `add_dirs` are placed in the workspace, where they can be written", ""
        )
    return placed_files(source, (("", name, name.strip("/")) for name in names), (source.folder,))


def _other_prompt(source: Source, fields: dict[str, Any]) -> Iterator[Check]:
    """A changed system prompt makes it another question."""
    if has_text(fields.get("append_system_prompt")):
        yield not_supported(source, "`append_system_prompt`", fields["append_system_prompt"], "")


def _listed(file: Source | None) -> list[_Grader]:
    data = mapping(file.document.data) if file else {}
    return [(file, below, mapping(grader)) for below, grader in entries(data.get("graders"), "/graders") if file]


def _lying(source: Source) -> Iterator[_Grader]:
    """The files of `graders/` in the order of their names; the body is the criteria, or the pattern of a regex."""
    paths = [path for path in source.below(posixpath.join(source.folder, GRADERS)) if path.endswith(".md")]
    for path in paths[:SUITE_PARTS]:
        part = source.part(path)
        if part is not None:
            front, body = _front(part), mapping(part.document.data).get(BODY)
            name = {"name": posixpath.basename(path).removesuffix(".md")}
            yield part, "", {**name, **front, **({BODY: body} if has_text(body) else {})}


def _context(source: Source, context: dict[str, Any]) -> tuple[tuple[tuple[str, ...], ...], str | None]:
    """The script that makes the fixtures as set-up, and the reason why the case cannot be used."""
    if context.get("history_file"):
        return (), "it goes on with a conversation from `history_file`, and a case here is one prompt"
    name = context.get("scaffold_script")
    if not name:
        return (), None
    path = source.beside(str(name))
    content = package_file(source.read, path) if path else None
    if content is None:
        return (), f"its script `{str(name)[:60]}` is not there"
    message = "a scaffold script is run where the case starts, not in the folder of the suite"
    source.note("eval-scaffold", Severity.NOTE, message, "")
    return (("bash", "-c", content.decode("utf-8", "replace")),), None
