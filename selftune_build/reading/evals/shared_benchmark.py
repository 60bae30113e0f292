"""The manifest of skill-eval-harness: cases in splits, with assertions that need no model and rubrics for judges.

Written from `docs/authoring-evals.md` of github.com/adewale/skill-eval-harness and from `evals/shared-benchmark.json` of
github.com/adewale/audit-skill and github.com/adewale/good-readme: `{version, skill_name, variants, cases: [{id, split, kind,
trigger_type, prompt | prompt_ref, files, expected_behavior, assertions}], ablations}`. `expected_behavior` are notes for their
authors there and no checks, so they are none here where there are assertions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from selftune_build.model.case import Case, Check
from selftune_build.model.finding import Severity
from selftune_build.reading.evals.case_files import found_files, package_file
from selftune_build.reading.evals.counterpart import any_of, counterpart, matching, not_supported
from selftune_build.reading.evals.draft import NO_FILE, Draft, entries, finished, mapping, texts
from selftune_build.reading.evals.foreign import foreign_id, foreign_limits, has_text
from selftune_build.reading.evals.source import EvalReading, Source, note_unknown_fields
from selftune_build.reading.evals.waza_triggers import note_other_skill

FORMAT = "shared-benchmark"

_KNOWN_AROUND = frozenset(
    {"version", "skill_name", "cases", "name", "description", "notes", "harness", "skill_paths", "variants"}
)
_KNOWN = frozenset(
    {"id", "split", "kind", "trigger_type", "prompt", "prompt_ref", "files", "expected_behavior", "assertions", "tags"}
    | {"domain", "difficulty", "success_goals", "timeout_s"}
)
_TEXTS = {"contains": "contains", "contains_all": "contains", "excludes_any": "not-contains", "not_contains": "not-contains"}
_PATTERNS = {"regex": "regex", "not_regex": "not-regex"}
_JUDGES = ("judge", "rubric")


def is_suite(data: dict[str, Any]) -> bool:
    """Told by cases beside the variants that they are compared in."""
    return isinstance(data.get("cases"), list) and isinstance(data.get("variants"), list)


def read_shared_benchmark(source: Source) -> EvalReading:
    """One case for each that is written down; its split is a tag. Never raises."""
    data = source.document.data
    cases = entries(data["cases"], "/cases")
    note_unknown_fields(source, [("", data)], _KNOWN_AROUND)
    note_other_skill(source, data.get("skill_name"))
    note_unknown_fields(source, cases, _KNOWN)
    return EvalReading(tuple(_case(source, mapping(case), pointer) for pointer, case in cases), tuple(source.findings))


def _case(source: Source, case: dict[str, Any], pointer: str) -> Case:
    prompt = _prompt(source, case)
    files, missing = found_files(source, case.get("files"), prompt, f"{pointer}/files")
    if not prompt and has_text(case.get("prompt_ref")):
        missing = f"its prompt is in `{case['prompt_ref'][:60]}`, which is not here"
    draft = Draft(
        id=foreign_id(source, case, prompt, pointer),
        pointer=pointer,
        prompt=prompt,
        checks=_checks(source, case, pointer),
        files=files,
        should_trigger=_polarity(case.get("trigger_type")),
        limits=foreign_limits(source, case, pointer),
        tags=_tags(case),
        unusable=(NO_FILE, missing) if missing else None,
    )
    return finished(source, draft)


def _prompt(source: Source, case: dict[str, Any]) -> str:
    """The prompt, or what is in the file that it is kept in."""
    if has_text(case.get("prompt")):
        return str(case["prompt"])
    path = source.beside(case["prompt_ref"]) if has_text(case.get("prompt_ref")) else None
    content = package_file(source.read, path) if path else None
    return content.decode("utf-8", "replace") if content else ""


def _polarity(kind: Any) -> bool | None:
    """`negative…` and `no-trigger` say no, every other kind of trigger yes; none says nothing."""
    if not has_text(kind):
        return None
    return not kind.startswith(("negative", "no-", "none"))


def _tags(case: dict[str, Any]) -> tuple[str, ...]:
    split = case.get("split")
    return (*((f"split:{split}",) if has_text(split) else ()), *texts(case.get("tags")))


def _checks(source: Source, case: dict[str, Any], pointer: str) -> Iterator[Check | None]:
    assertions = entries(case.get("assertions"), f"{pointer}/assertions")
    for below, assertion in assertions:
        yield from _check(source, mapping(assertion), below)
    notes = texts(case.get("expected_behavior"))
    if notes and assertions:
        message = "`expected_behavior` is no check where there are assertions"
        source.note_once("eval-field-not-read", Severity.NOTE, message, f"{pointer}/expected_behavior")
        return
    for index, text in enumerate(notes):
        yield counterpart(source, "sentence", {"text": text}, f"{pointer}/expected_behavior/{index}")


def _check(source: Source, assertion: dict[str, Any], pointer: str) -> Iterator[Check | None]:
    kind, values = str(assertion.get("type")), texts(assertion.get("values", assertion.get("value")))
    ignores = assertion.get("ci") is not False
    if kind == "contains_any" and values:
        yield counterpart(source, "regex", any_of(values, ignore_case=ignores), pointer)
    elif kind in _TEXTS and values:
        for value in values:
            params = {"text": value, **({"ignore-case": True} if ignores else {})}
            yield counterpart(source, _TEXTS[kind], params, pointer)
    elif kind in _PATTERNS and has_text(assertion.get("pattern")):
        yield counterpart(source, _PATTERNS[kind], matching(assertion["pattern"]), pointer)
    elif kind in _JUDGES and texts(assertion.get("rubric")):
        for index, text in enumerate(texts(assertion["rubric"])):
            yield counterpart(source, "sentence", {"text": text}, f"{pointer}/rubric/{index}")
    elif kind == "file_exists" and has_text(assertion.get("path")):
        yield counterpart(source, "file-exists", {"path": assertion["path"]}, pointer)
    else:
        yield not_supported(source, f"`{kind}`", assertion, pointer)
