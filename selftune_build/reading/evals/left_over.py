"""What lies under `evals/` and is not read: each thing is named with the reason, so that nobody believes it was measured."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from selftune_build.escape import one_line
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.reading.evals.source import EvalReading
from selftune_build.wording import counted, listed

FOLDER = "evals"
CODE = "eval-file-not-read"
_SUITES = (({"graders"}, "claude plugin eval"), ({"task.md", "criteria.json"}, "Tessl"), ({"prompt.md"}, "claude plugin eval"))
_KEYS_SHOWN = 5
_FIXTURES = frozenset({"fixture", "fixtures", "results", "mocks", "outputs", "testdata"})
"""Folders of suites whose files are material for cases, or what became of them, and no suites themselves."""


def stands_among_suites(path: str) -> bool:
    """Whether a file lies where suites lie, directly in `evals/`; below that are fixtures."""
    return posixpath.dirname(path) == FOLDER


def lies_among_fixtures(path: str) -> bool:
    """Whether a file lies in a folder for the material of cases."""
    return bool(_FIXTURES & set(posixpath.dirname(path).split("/")))


def content_of(data: Any) -> str:
    """What a file holds that is no suite, in a few words."""
    if isinstance(data, dict):
        keys = listed([f"`{one_line(str(key), 40)}`" for key in data], _KEYS_SHOWN)
        return f"a mapping with the keys {keys}" if data else "an empty mapping"
    if isinstance(data, list):
        kinds = sorted({type(item).__name__ for item in data})
        shown = {"dict": "mappings without a prompt", "str": "texts", "int": "numbers", "list": "lists"}
        return "a list of " + " and ".join(shown.get(kind, "other values") for kind in kinds)
    return "nothing" if data is None else "a single value"


def without_fixtures(findings: Iterable[Finding], used: Collection[str]) -> Iterator[Finding]:
    """The findings without the remarks on files that a case brings along."""
    for finding in findings:
        if not (finding.code == CODE and finding.severity is Severity.NOTE and finding.at and finding.at.path in used):
            yield finding


def unread_folder(paths: Iterable[str], reading: EvalReading) -> tuple[Finding, ...]:
    """A finding where `evals/` holds files, and no case and no remark comes from any of them."""
    inside = [path for path in paths if path.startswith(FOLDER + "/")]
    if reading.cases or reading.findings or not inside:
        return ()
    parts = {part for path in inside for part in path.split("/")[1:]}
    tool = next((f", which looks like evals of {name}" for wanted, name in _SUITES if wanted <= parts), "")
    count = counted(len(inside), "file")
    message = f"{FOLDER}/ holds {count}{tool}, and none is in a format that is read here"
    hint = "write cases in evals/evals.yaml (format: selftune.evals/1) or evals/evals.json"
    return (Finding(CODE, Severity.WARNING, message, Location(inside[0]), hint),)
