"""The `evals.json` family, in the shapes that real skills carry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from selftune_build.checks.registry import unusable
from selftune_build.model.case import Case, CaseFile
from selftune_build.model.finding import Severity
from selftune_build.model.manifest import Limits
from selftune_build.reading.evals import EvalReading

Suite = Callable[..., EvalReading]


def suite(*cases: dict[str, Any], **around: Any) -> dict[str, Any]:
    return {"evals/evals.json": {"skill_name": "pdf", "evals": list(cases), **around}}


def kinds(case: Case) -> list[str]:
    return [check.kind for check in case.checks]


def texts(case: Case) -> list[str]:
    return [check.params["text"] for check in case.checks]


def codes(reading: EvalReading) -> list[str]:
    return [finding.code for finding in reading.findings]


def checks_of(evals: Suite, *assertions: Any) -> tuple[Case, list[str]]:
    reading = evals(suite({"id": 1, "prompt": "p", "assertions": list(assertions)}))
    return reading.cases[0], codes(reading)


def test_the_shape_of_skill_creator(evals: Suite) -> None:
    files = suite(
        {
            "id": 1,
            "prompt": "Fill the form",
            "expected_output": "A form",
            "files": ["evals/files/form.pdf"],
            "expectations": ["It is filled"],
        }
    )
    reading = evals({**files, "evals/files/form.pdf": b"%PDF"})
    (case,) = reading.cases
    assert (case.id, case.prompt, case.should_trigger) == ("1", "Fill the form", None)
    assert (kinds(case), texts(case)) == (["sentence"], ["It is filled"])
    assert case.files == (CaseFile("form.pdf", b"%PDF"),)
    assert reading.findings == ()


def test_the_shape_of_the_agentskills_guide(evals: Suite) -> None:
    (case,) = evals(suite({"id": "fill", "prompt": "p", "assertions": ["a", "b"]})).cases
    assert (case.id, texts(case)) == ("fill", ["a", "b"])


def test_both_spellings_count_what_they_share_once(evals: Suite) -> None:
    (case,) = evals(suite({"id": 1, "prompt": "p", "expectations": ["a", "b"], "assertions": ["b", {"text": "a"}, "c"]})).cases
    assert texts(case) == ["a", "b", "c"]


def test_an_expected_output_alone_is_a_check(evals: Suite) -> None:
    (case,) = evals(suite({"id": 1, "prompt": "p", "expected_output": "A table", "assertions": []})).cases
    assert texts(case) == ["The outcome is what was expected: A table"]


def test_a_list_of_questions(evals: Suite) -> None:
    items = [
        {
            "id": "q1",
            "question": "How?",
            "expected_skill": "pdf",
            "ground_truth": "So",
            "expected_behavior": ["reads", "answers"],
        },
        {"id": "q2", "question": "What?", "expected_skill": None, "ground_truth": "That"},
        {"id": "q3", "question": "Who?", "expected_skill": "docx", "expected_script": "x.py"},
    ]
    reading = evals({"evals/evals.json": items})
    assert [(case.prompt, case.should_trigger, len(case.checks)) for case in reading.cases] == [
        ("How?", True, 2),
        ("What?", False, 1),
        ("Who?", None, 0),
    ]
    assert codes(reading) == ["eval-field-not-read", "case-of-other-skill"]


def test_questions_under_cases_and_one_bare_case_and_no_case(evals: Suite) -> None:
    assert [
        case.id
        for case in evals(
            {"evals/evals.json": {"skill": "pdf", "cases": [{"id": "a", "question": "q", "ground_truth": "g"}]}}
        ).cases
    ] == ["a"]
    assert [case.id for case in evals({"evals/evals.json": {"id": "a", "prompt": "q", "expectations": ["e"]}}).cases] == ["a"]
    empty = evals({"evals/evals.json": []})
    assert (empty.cases, codes(empty)) == ((), ["eval-file-empty"])


def test_the_same_data_written_as_yaml(evals: Suite) -> None:
    reading = evals({"evals/e.yaml": "evals:\n  - id: 7\n    prompt: p\n    assertions:\n      - it works\n    timeout: 10m\n"})
    (case,) = reading.cases
    assert (case.id, texts(case)) == ("7", ["it works"])
    assert case.limits == Limits(timeout_s=600)
    assert case.origin is not None
    assert (case.origin.format, case.origin.at.line) == ("evals.json", 2)


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [(30, 30), (2.5, 3), ("90s", 90), ("500ms", 1), ("2m", 120), (0, None), ("soon", None), (True, None), (10**9, None)],
)
def test_timeouts_in_the_spellings_in_use(evals: Suite, timeout: Any, seconds: int | None) -> None:
    reading = evals(
        suite({"id": 1, "prompt": "p", "assertions": ["a"], "timeout": timeout}), limits=Limits(timeout_s=77, max_turns=5)
    )
    assert reading.cases[0].limits == (Limits(seconds, 5) if seconds else None)
    assert ("eval-limit-not-used" in codes(reading)) == (seconds is None)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"should_trigger": True}, True),
        ({"should_trigger": False}, False),
        ({"should_trigger": False, "expected_skill": "pdf"}, False),
        ({"should_trigger": "yes"}, None),
        ({"expected_skill": "pdf"}, True),
        ({"expected_skill": None}, False),
        ({"expected_skill": "xlsx"}, None),
        ({"expected_skill": ["pdf"]}, None),
        ({}, None),
    ],
)
def test_whether_the_skill_should_trigger(evals: Suite, fields: dict[str, Any], expected: bool | None) -> None:
    (case,) = evals(suite({"id": 1, "prompt": "p", "assertions": ["a"], **fields})).cases
    assert case.should_trigger is expected


@pytest.mark.parametrize(
    ("assertion", "kind", "params"),
    [
        ("plain words", "sentence", {"text": "plain words"}),
        ({"text": "t"}, "sentence", {"text": "t"}),
        ({"name": "n", "text": "t"}, "sentence", {"text": "t"}),
        ({"name": "n", "check": "t"}, "sentence", {"text": "t"}),
        ({"type": "llm-judge", "criteria": "t", "weight": 2}, "sentence", {"text": "t"}),
        ({"type": "contains", "value": "v"}, "contains", {"text": "v"}),
        ({"type": "contains", "value": "v", "case_sensitive": False}, "contains", {"text": "v", "ignore-case": True}),
        ({"type": "output_contains", "value": "v", "description": "d"}, "contains", {"text": "v"}),
        ({"type": "not_contains", "value": "v"}, "not-contains", {"text": "v"}),
        ({"type": "output_matches", "pattern": "v+"}, "regex", {"pattern": "v+"}),
        ({"type": "file_exists", "path": "a.csv"}, "file-exists", {"path": "a.csv"}),
        ({"type": "file_contains", "path": "a.csv", "value": "v"}, "file-contains", {"path": "a.csv", "text": "v"}),
        ({"type": "tool-called", "name": "Read"}, "tool-called", {"name": "Read"}),
        (
            {"type": "tool-arg-equals", "name": "Read", "path": "file.name", "value": "a.b"},
            "tool-called",
            {"name": "Read", "arguments": {"/file/name": r"\Aa\.b\Z"}},
        ),
        (
            {"type": "tool-arg-contains", "name": "Read", "path": "page", "value": 3},
            "tool-called",
            {"name": "Read", "arguments": {"/page": "3"}},
        ),
        (
            {"type": "tool-arg-matches", "name": "Read", "path": "$.items[0].p", "pattern": "^a+", "flags": "i"},
            "tool-called",
            {"name": "Read", "arguments": {"/items/0/p": "(?i:^a+)"}},
        ),
        ({"type": "tool-call-count", "name": "Read", "min": 1, "max": 3}, "tool-count", {"name": "Read", "min": 1, "max": 3}),
        ({"type": "contains-any", "value": ["a.", "b"]}, "regex", {"pattern": r"a\.|b"}),
    ],
)
def test_assertions_with_a_counterpart(evals: Suite, assertion: Any, kind: str, params: dict[str, Any]) -> None:
    case, found = checks_of(evals, assertion)
    assert [(check.kind, check.params) for check in case.checks] == [(kind, params)]
    assert found == []


@pytest.mark.parametrize(
    "assertion",
    [
        {"path": "out.json", "equals": 3},
        {"path": "score", "gte": 0.8},
        {"type": "json_path", "text": "looks like prose"},
        {"type": "contains"},
        {"type": "contains", "value": "v", "times": 3},
        {"type": "matches", "pattern": "("},
        {"type": "file_exists", "path": "../outside"},
        {"type": "tool-arg-equals", "name": "Read", "path": "p", "value": 1.5},
        {"type": "tool-call-count", "min": 1},
        {"type": "tool-arg-equals", "name": "Read", "path": "p", "value": "a", "unless": "x"},
        {"name": "only a name"},
        {"name": "n", "check": {"nested": True}},
        {},
        [],
        "",
        None,
        7,
    ],
)
def test_assertions_without_a_counterpart_leave_their_case_undecided(evals: Suite, assertion: Any) -> None:
    case, found = checks_of(evals, "fine", assertion)
    assert kinds(case) == ["sentence", "unsupported"]
    assert found == ["check-not-supported"]


def test_a_shape_without_counterpart_is_named_once_in_a_file(evals: Suite) -> None:
    reading = evals(suite(*({"id": number, "prompt": "p", "assertions": [{"path": "x", "gte": number}]} for number in range(5))))
    (finding,) = reading.findings
    assert "{gte, path}" in finding.message
    assert len({check.params["content"] for case in reading.cases for check in case.checks}) == 5


def test_tool_assertions_are_checks_too(evals: Suite) -> None:
    reading = evals(
        suite(
            {
                "id": 1,
                "prompt": "p",
                "tool_assertions": [{"type": "tool-not-called", "name": "Bash"}, {"type": "tool-call-count", "min": 1}],
            }
        )
    )
    assert kinds(reading.cases[0]) == ["tool-not-called", "unsupported"]


def test_a_field_nobody_understands_is_one_finding_for_the_whole_file(evals: Suite) -> None:
    reading = evals(
        suite(*({"id": number, "prompt": "p", "assertions": ["a"], "params": {}} for number in range(4)), defaults={})
    )
    assert [(finding.code, finding.message) for finding in reading.findings] == [
        ("eval-field-not-read", "`defaults` is not read"),
        ("eval-field-not-read", "`params` is not read (4 times)"),
    ]
    assert reading.findings[1].at is not None
    assert reading.findings[1].at.pointer == "/evals/0/params"


def test_a_file_for_another_skill_is_read_with_a_warning(evals: Suite) -> None:
    reading = evals(suite({"id": 1, "prompt": "p", "assertions": ["a"]}, skill_name="docx"))
    assert (len(reading.cases), codes(reading)) == (1, ["eval-names-other-skill"])


def test_files_are_looked_for_in_the_package_then_beside_the_eval_file(evals: Suite) -> None:
    files = {
        **suite({"id": 1, "prompt": "p", "assertions": ["a"], "files": ["files/a.csv", "evals/files/b.csv", "../data/c.csv"]})
    }
    reading = evals({**files, "evals/files/a.csv": b"a", "evals/files/b.csv": b"b", "data/c.csv": b"c"})
    assert reading.cases[0].files == (CaseFile("a.csv", b"a"), CaseFile("b.csv", b"b"), CaseFile("c.csv", b"c"))
    assert codes(reading) == ["eval-file-base"]


def test_a_file_whose_path_the_prompt_names_is_placed_there(evals: Suite) -> None:
    files = suite({"id": 1, "prompt": "Read evals/files/a.csv", "assertions": ["a"], "files": ["evals/files/a.csv"]})
    assert evals({**files, "evals/files/a.csv": b"a"}).cases[0].files == (CaseFile("evals/files/a.csv", b"a"),)


def test_files_with_their_content_or_their_destination(evals: Suite) -> None:
    entries = [{"path": "a.txt", "content": "x"}, {"src": "evals/b.bin", "dest": "in/b.bin"}]
    reading = evals({**suite({"id": 1, "prompt": "p", "assertions": ["a"], "files": entries}), "evals/b.bin": b"b"})
    assert reading.cases[0].files == (CaseFile("a.txt", b"x"), CaseFile("in/b.bin", b"b"))


@pytest.mark.parametrize(
    "files",
    [["evals/none.csv"], ["../../../etc/passwd"], ["/etc/passwd"], [7], "evals/none.csv", [{"dest": "../x", "content": "y"}]],
)
def test_a_case_whose_file_is_missing_can_never_pass(evals: Suite, files: Any) -> None:
    reading = evals(suite({"id": 1, "prompt": "p", "assertions": ["a"], "should_trigger": True, "files": files}))
    (case,) = reading.cases
    assert unusable(case)
    assert (kinds(case), case.should_trigger) == (["unsupported"], None)
    assert [(finding.code, finding.severity) for finding in reading.findings] == [("case-file-missing", Severity.ERROR)]


@pytest.mark.parametrize(
    "fields", [{}, {"command": "python x.py", "stdin": "1"}, {"prompt": ""}, {"prompt": 7}, {"prompt": "a\0b"}]
)
def test_a_case_without_a_prompt_can_never_pass(evals: Suite, fields: dict[str, Any]) -> None:
    reading = evals(suite({"id": 1, "assertions": ["a"], "should_trigger": True, **fields}))
    assert unusable(reading.cases[0])
    assert "case-without-prompt" in codes(reading)


def test_a_case_without_any_check_is_an_error_and_stays_listed(evals: Suite) -> None:
    reading = evals(suite({"id": 1, "prompt": "p"}))
    assert len(reading.cases) == 1
    assert [(finding.code, finding.severity) for finding in reading.findings] == [("case-without-check", Severity.ERROR)]


def test_more_checks_than_are_read_leave_the_case_undecided(evals: Suite) -> None:
    reading = evals(suite({"id": 1, "prompt": "p", "assertions": [f"number {number}" for number in range(500)]}))
    assert kinds(reading.cases[0])[-1] == "unsupported"
    assert "case-too-many-checks" in codes(reading)


def test_checks_know_where_they_stand(evals: Suite) -> None:
    (case,) = evals({"evals/evals.json": '{"evals": [\n {"id": 1, "prompt": "p", "assertions": [\n  "a",\n  "b"]}]}'}).cases
    assert case.checks[1].origin is not None
    assert str(case.checks[1].origin.at) == "evals/evals.json:4:3 (/evals/0/assertions/1)"
