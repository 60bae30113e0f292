"""Which files are read, which are left alone, and what is said about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from selftune_build.errors import InputError
from selftune_build.model.finding import Severity
from selftune_build.reading.evals import EvalReading

Suite = Callable[..., EvalReading]


def test_a_trigger_set(evals: Suite) -> None:
    items = [
        {"query": "fill this pdf", "should_trigger": True},
        {"query": "tell a joke", "should_trigger": False, "id": 3, "why": "x"},
    ]
    reading = evals({"evals/any_name.json": items})
    assert [(case.prompt, case.should_trigger, case.checks) for case in reading.cases] == [
        ("fill this pdf", True, ()),
        ("tell a joke", False, ()),
    ]
    assert reading.cases[0].id.startswith("fill-this-pdf-")
    assert reading.cases[1].id == "3"
    assert [finding.message for finding in reading.findings] == ["`why` is not read"]


def test_a_query_without_an_answer_is_an_error(evals: Suite) -> None:
    reading = evals(
        {"evals/t.json": [{"query": "a", "should_trigger": True}, {"query": "b"}, {"query": "", "should_trigger": True}]}
    )
    assert [case.should_trigger for case in reading.cases] == [True, None, None]
    assert [(finding.code, finding.severity) for finding in reading.findings] == [
        ("case-without-check", Severity.ERROR),
        ("case-without-prompt", Severity.ERROR),
    ]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ([{"prompt": "p", "expected": "x"}, {"other": 1}], "unknown"),
        ({"evals": ["a", "b"]}, "unknown"),
        ({"assertions": ["a"]}, "unknown"),
    ],
)
def test_formats_of_other_tools_are_named_and_not_read(evals: Suite, data: Any, name: str) -> None:
    reading = evals({"evals/eval.json": data})
    assert reading.cases == ()
    (finding,) = reading.findings
    assert (finding.code, finding.severity) == ("eval-file-not-read", Severity.NOTE)
    assert name in finding.message


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "3",
        "null",
        '"text"',
        "[1, 2]",
        '{"name": "fixture"}',
        '[{"id": 1}]',
        "{ // a comment\n}",
        "",
        b"\xff\xfe\x00",
        b"\x00",
    ],
)
def test_fixtures_are_left_alone(evals: Suite, content: Any) -> None:
    assert evals({"evals/fixtures/x.json": content}) == EvalReading()


@pytest.mark.parametrize("content", ["a: 1\n---\nb: 2\n", "a: [", "a: &x 1\nb: *x\n", "\tbad"])
def test_broken_yaml_fixtures_are_left_alone(evals: Suite, content: str) -> None:
    assert evals({"evals/fixtures/x.yaml": content}) == EvalReading()


@pytest.mark.parametrize("content", ["{}", "not json", '[{"id": 1}]'])
def test_a_file_that_the_manifest_names_must_be_one_of_ours(evals: Suite, content: str) -> None:
    with pytest.raises(InputError) as caught:
        evals({"evals/x.json": content}, explicit=True)
    assert caught.value.at is not None
    assert caught.value.at.path == "evals/x.json"


def test_a_file_that_is_not_there_is_refused(evals: Suite) -> None:
    with pytest.raises(InputError) as caught:
        evals({}, "evals/none.json", explicit=True)
    assert caught.value.code == "missing-file"


@pytest.mark.parametrize("path", ["evals/evals.json", "evals/more.json", "evals/config.json"])
def test_a_broken_file_among_suites_is_refused_with_its_line(path: str, evals: Suite) -> None:
    with pytest.raises(InputError) as caught:
        evals({path: '{"evals":\n [,]}'})
    assert (caught.value.at and (caught.value.at.path, caught.value.at.line)) == (path, 2)


def test_a_broken_file_in_a_folder_below_may_be_anything(evals: Suite) -> None:
    files = {"evals/files/a.json": "{", "evals/files/b.yaml": "a: [", "evals/files/c.yaml": "", "evals/x/d.yaml": "fromat: 1"}
    assert evals(files).findings == ()


def test_a_broken_file_that_looks_like_evals_is_named_in_a_folder_below_as_well(evals: Suite) -> None:
    (finding,) = evals({"evals/b/more.json": '{"evals": [,]}'}).findings
    assert (finding.code, finding.severity) == ("eval-file-unreadable", Severity.WARNING)


def test_a_broken_file_of_our_own_format_is_refused(evals: Suite) -> None:
    with pytest.raises(InputError):
        evals({"evals/x.yaml": "format: selftune.evals/1\ncases: [\n"})


def test_duplicate_keys_of_others_are_a_finding(evals: Suite) -> None:
    reading = evals({"evals/evals.json": '{"evals": [{"id": 1, "id": 2, "prompt": "p", "assertions": ["a"]}]}'})
    assert [case.id for case in reading.cases] == ["2"]
    assert [finding.severity for finding in reading.findings] == [Severity.WARNING]


def test_the_name_of_a_file_decides_nothing(evals: Suite) -> None:
    triggers = [{"query": "q", "should_trigger": True}]
    assert [case.prompt for case in evals({"evals/evals.json": triggers}).cases] == ["q"]
