"""The native eval format: pleasant to write, strict to read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from selftune_build.checks.registry import FAMILIES
from selftune_build.errors import InputError
from selftune_build.model.case import Arm, CaseFile
from selftune_build.model.finding import Severity
from selftune_build.model.manifest import Limits
from selftune_build.reading.evals import EvalReading
from selftune_build.reading.evals.check_spelling import BESIDE, PLAIN_VALUE

Suite = Callable[..., EvalReading]

FULL = """\
format: selftune.evals/1
cases:
  - id: adds up a column
    prompt: |
      Add up the amounts in amounts.csv.
    should_trigger: true
    files:
      - evals/files/amounts.csv
      - {src: evals/files/amounts.csv, dest: in/copy.csv}
      - {dest: notes/hello.txt, content: "hello"}
    setup:
      - [git, init]
    checks:
      - contains: "Total: 42"
      - regex: "^Total: \\\\d+$"
      - file-exists: "*.csv"
      - file-contains: {path: out.csv, text: "42"}
      - command: {run: [python3, ./evals/graders/check.py, --strict], exit: 0}
      - skill-invoked: true
      - tool-called: {name: Read, input-contains: amounts}
      - sentence: The answer names the total.
    limits: {timeout_s: 30}
    observe: package
    tags: [sums]
  - id: leaves poems alone
    prompt: Write a poem.
    should_trigger: false
"""
FILES = {"evals/sums.yaml": FULL, "evals/files/amounts.csv": b"40\n2\n", "evals/graders/check.py": b"pass"}


def one_case(fields: str) -> dict[str, Any]:
    return {
        **FILES,
        "evals/sums.yaml": f"format: selftune.evals/1\ncases:\n  - {{id: a, prompt: p, should_trigger: true}}\n  - {fields}\n",
    }


def refused(suite: Suite, fields: str) -> InputError:
    with pytest.raises(InputError) as caught:
        suite(one_case(fields))
    assert caught.value.at is not None
    assert caught.value.at.path == "evals/sums.yaml"
    assert caught.value.at.line == 4
    return caught.value


def test_a_file_that_uses_everything_is_read_whole(evals: Suite) -> None:
    case, poem = evals(FILES, limits=Limits(timeout_s=120, max_turns=25)).cases
    assert case.id == "adds up a column"
    assert case.prompt == "Add up the amounts in amounts.csv.\n"
    assert case.should_trigger is True
    assert case.setup == (("git", "init"),)
    assert case.limits == Limits(timeout_s=30, max_turns=25)
    assert case.observe_package
    assert case.tags == ("sums",)
    assert (poem.should_trigger, poem.checks, poem.limits, poem.observe_package) == (False, (), None, False)


def test_a_file_given_by_its_path_is_placed_under_its_own_name(evals: Suite) -> None:
    case = evals(FILES).cases[0]
    assert case.files == (
        CaseFile("amounts.csv", b"40\n2\n"),
        CaseFile("in/copy.csv", b"40\n2\n"),
        CaseFile("notes/hello.txt", b"hello"),
    )


def test_plain_values_and_mappings_spell_the_same_checks(evals: Suite) -> None:
    checks = {check.kind: check for check in evals(FILES).cases[0].checks}
    assert checks["contains"].params == {"text": "Total: 42"}
    assert checks["regex"].params == {"pattern": "^Total: \\d+$"}
    assert checks["skill-invoked"].params == {}
    assert checks["tool-called"].params == {"name": "Read", "input-contains": "amounts"}
    assert checks["command"].params == {"run": ["python3", "evals/graders/check.py", "--strict"]}
    assert checks["command"].files == ("evals/graders/check.py",)


def test_writing_a_default_changes_nothing(evals: Suite) -> None:
    short = evals(one_case('{id: b, prompt: p, checks: [{contains: x}, {command: {run: ["true"]}}]}')).cases[1]
    long = evals(
        one_case('{id: b, prompt: p, checks: [{contains: {text: x, ignore-case: false}}, {command: {run: ["true"], exit: 0}}]}')
    ).cases[1]
    assert [check.params for check in short.checks] == [check.params for check in long.checks]


def test_a_check_says_its_id_its_weight_and_its_arm_beside_its_kind(evals: Suite) -> None:
    plain, named, both = (
        evals(
            one_case(
                "{id: b, prompt: p, checks: [{contains: x}, {id: total, contains: y, weight: 3, arm: with_skill},"
                " {contains: z, arm: [without_skill, with_skill]}]}"
            )
        )
        .cases[1]
        .checks
    )
    assert (plain.id, plain.weight, plain.arms) == (None, 1, None)
    assert (named.id, named.weight, named.arms) == ("total", 3, (Arm.WITH_SKILL,))
    assert both.arms is None


def test_json_says_the_same_as_yaml(evals: Suite) -> None:
    data = {"format": "selftune.evals/1", "cases": [{"id": "a", "prompt": "p", "checks": [{"contains": "x"}]}]}
    written = evals({"evals/a.json": data}).cases[0]
    assert (written.id, written.checks[0].params) == ("a", {"text": "x"})


def test_cases_and_checks_know_where_they_stand(evals: Suite) -> None:
    case = evals(FILES).cases[0]
    assert case.origin is not None
    assert (case.origin.format, str(case.origin.at)) == ("selftune.evals/1", "evals/sums.yaml:3:5 (/cases/0)")
    assert case.checks[0].origin is not None
    assert case.checks[0].origin.at.line == 14
    assert case.checks[0].origin.at.pointer == "/cases/0/checks/0/contains"


def test_a_case_that_checks_nothing_is_an_error_and_stays_listed(evals: Suite) -> None:
    reading = evals(one_case("{id: b, prompt: p}"))
    assert [case.id for case in reading.cases] == ["a", "b"]
    assert [(finding.code, finding.severity) for finding in reading.findings] == [("case-without-check", Severity.ERROR)]


@pytest.mark.parametrize(
    "fields",
    [
        "{id: b}",
        "{prompt: p}",
        "{id: 1, prompt: p}",
        "{id: ' b', prompt: p}",
        '{id: "b\\u202e", prompt: p}',
        "{id: b, prompt: p, run: [ls]}",
        "{id: b, prompt: p, promt: q}",
        "{id: b, prompt: p, should_trigger: yes}",
        "{id: b, prompt: p, observe: file}",
        "{id: b, prompt: p, limits: {timeout_s: 0}}",
        "{id: b, prompt: p, limits: {timeout_s: 99999}}",
        "{id: b, prompt: p, files: [/etc/passwd]}",
        "{id: b, prompt: p, files: [../other/SKILL.md]}",
        "{id: b, prompt: p, files: [{dest: ../../x, content: y}]}",
        "{id: b, prompt: p, files: [{dest: x, content: y}, {dest: x, content: z}]}",
        "{id: b, prompt: p, checks: [{contains: 42}]}",
        "{id: b, prompt: p, checks: [{contains: a, regex: b}]}",
        "{id: b, prompt: p, checks: [{}]}",
        "{id: b, prompt: p, checks: [{contain: a}]}",
        "{id: b, prompt: p, checks: [{contains: {txt: a}}]}",
        "{id: b, prompt: p, checks: [{regex: '('}]}",
        "{id: b, prompt: p, checks: [{regex: '(?:a{999}){999}'}]}",
        "{id: b, prompt: p, checks: [{file-exists: ../x}]}",
        "{id: b, prompt: p, checks: [{command: {run: []}}]}",
        "{id: b, prompt: p, checks: [{command: 'rm -rf /'}]}",
        "{id: b, prompt: p, checks: [{skill-invoked: false}]}",
        "{id: b, prompt: p, checks: [{exit: 0}]}",
        "{id: b, prompt: p, checks: [{stderr-contains: x}]}",
        "{id: b, prompt: p, checks: [{unsupported: x}]}",
        "{id: b, prompt: p, checks: [{id: total, weight: 2}]}",
        "{id: b, prompt: p, checks: [{contains: a, weight: 0}]}",
        "{id: b, prompt: p, checks: [{contains: a, weight: 1.5}]}",
        "{id: b, prompt: p, checks: [{contains: a, arm: script}]}",
        "{id: b, prompt: p, checks: [{contains: a, arm: []}]}",
        "{id: b, prompt: p, checks: [{contains: a, id: 'a b'}]}",
        "{id: b, prompt: p, checks: [{contains: a, id: x}, {contains: b, id: x}]}",
        "{id: b, prompt: p, checks: [{skill-invoked: true, arm: without_skill}]}",
    ],
)
def test_what_the_format_does_not_allow_is_refused_with_its_line(evals: Suite, fields: str) -> None:
    assert refused(evals, fields).exit_status == 2


def test_a_missing_file_is_refused_with_its_place(evals: Suite) -> None:
    problem = refused(evals, "{id: b, prompt: p, should_trigger: true, files: [evals/files/none.csv]}")
    assert problem.code == "missing-file"
    assert problem.at is not None
    assert problem.at.pointer == "/cases/1/files/0"


def test_an_id_that_stands_twice_is_refused(evals: Suite) -> None:
    problem = refused(evals, "{id: a, prompt: q, should_trigger: true}")
    assert "evals/sums.yaml, line 3" in problem.message


def test_an_id_of_another_file_is_refused_too(evals: Suite) -> None:
    data = {"format": "selftune.evals/1", "cases": [{"id": "a", "prompt": "p", "should_trigger": True}]}
    with pytest.raises(InputError, match=r"evals/a\.json"):
        evals({"evals/a.json": data, "evals/b.json": data})


def test_an_id_of_the_unit_tests_is_refused_too(evals: Suite) -> None:
    with pytest.raises(InputError, match="another file"):
        evals(one_case("{id: b, prompt: p, should_trigger: true}"), taken=("a",))


def test_a_format_from_the_future_is_refused(evals: Suite) -> None:
    with pytest.raises(InputError, match=r"selftune\.evals/2"):
        evals({"evals/a.json": {"format": "selftune.evals/2", "cases": []}})


def test_duplicate_keys_are_refused_in_our_own_format(evals: Suite) -> None:
    with pytest.raises(InputError):
        evals({"evals/a.yaml": "format: selftune.evals/1\ncases: []\ncases: []\n"})


def test_every_kind_that_can_be_written_can_be_judged_and_the_other_way_round() -> None:
    schema = json.loads((Path(__file__).parents[4] / "schemas" / "selftune-evals-1.json").read_text())
    written = set(schema["$defs"]["check"]["properties"])
    assert written == set(FAMILIES) - {"unsupported"} | BESIDE
    assert set(PLAIN_VALUE) <= written
