"""Whatever stands at any place of a foreign suite, it is read or named, and nothing but an InputError is ever raised."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from selftune_build.errors import InputError
from selftune_build.reading.evals import EvalReading
from selftune_build.reading.evals.content import has_float
from tests.unit.reading.evals.test_formats import SUITES, Expected

Suite = Callable[..., EvalReading]
STRANGE: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    10**30,
    "",
    "\0",
    "../../x",
    "(",
    "x" * 5000,
    [],
    {},
    [None],
    [[]],
    {"": 1},
    {"a": {}},
)


def places(data: Any, trail: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every value, the whole first."""
    yield trail
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inside:
        yield from places(value, (*trail, key))


def changed(data: Any, trail: tuple[str | int, ...], value: Any) -> Any:
    """The same data with another value at one place."""
    if not trail:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[trail[0]] = changed(data[trail[0]], trail[1:], value)
    return copy


def variants(files: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every strange value at every place of every file, as JSON in its place: JSON is YAML."""
    for path, content in files.items():
        if path.endswith((".txt", ".md")):
            continue
        data = yaml.safe_load(content) if isinstance(content, str) else content
        for trail in places(data):
            for value in STRANGE:
                yield {**files, path: json.dumps(changed(data, trail, value))}


@pytest.mark.parametrize("expected", SUITES, ids=lambda each: each.format)
def test_a_strange_value_anywhere_is_read_or_named(evals: Suite, expected: Expected) -> None:
    for files in variants(expected.files):
        reading = evals(files)
        idle = [case for case in reading.cases if not case.checks and case.should_trigger is None]
        codes = {finding.code for finding in reading.findings}
        assert not idle or codes & {"case-without-check", "case-of-other-skill"}
        assert not any(has_float(check.params) for case in reading.cases for check in case.checks)
        assert all(case.prompt.strip() for case in reading.cases if any(check.kind != "unsupported" for check in case.checks))


@pytest.mark.parametrize(
    "text", ["---\n", "---\n---\n", "---\na: [\n---\nx", "---\n- a\n---\nx", "\ufeff---\ntype: llm\n---\nx", "x\0y", ""]
)
def test_strange_markdown_is_read_or_named(evals: Suite, text: str) -> None:
    for path in ("evals/fill/prompt.md", "evals/fill/graders/a.md"):
        files = {"evals/fill/prompt.md": "fill", "evals/fill/graders/a.md": "---\ntype: llm\n---\nOk.", path: text}
        try:
            reading = evals(files)
        except InputError:
            continue
        assert all(case.checks for case in reading.cases) or reading.findings
