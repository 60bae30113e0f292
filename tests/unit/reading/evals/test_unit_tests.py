"""Unit-test files: script cases and small agent cases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from selftune_build.errors import InputError
from selftune_build.model.case import CaseFile
from selftune_build.reading.evals import EvalReading

Suite = Callable[..., EvalReading]

SCRIPT = """\
format: selftune.unit-tests/1
cases:
  - id: sums
    run: [python3, scripts/sum.py, in.csv]
    stdin: "1"
    files: [{dest: in.csv, content: "1\\n2\\n"}]
    checks:
      - contains: "3"
  - id: refuses rubbish
    run: [python3, scripts/sum.py]
    checks:
      - exit: 2
      - stderr-contains: usage
  - id: asks an agent
    prompt: Sum 1 and 2.
    checks:
      - contains: "3"
"""


def test_script_and_agent_cases_stand_side_by_side(unit_tests: Suite) -> None:
    sums, refuses, agent = unit_tests({"tests/sum.yaml": SCRIPT}).cases
    assert (sums.run, sums.stdin, sums.is_script) == (("python3", "scripts/sum.py", "in.csv"), "1", True)
    assert sums.files == (CaseFile("in.csv", b"1\n2\n"),)
    assert refuses.is_script
    assert (agent.prompt, agent.is_script) == ("Sum 1 and 2.", False)


def test_a_script_case_must_end_with_0_unless_it_says_otherwise(unit_tests: Suite) -> None:
    sums, refuses, agent = unit_tests({"tests/sum.yaml": SCRIPT}).cases
    assert [check.params for check in sums.checks if check.kind == "exit"] == [{"status": 0}]
    assert [check.params for check in refuses.checks if check.kind == "exit"] == [{"status": 2}]
    assert all(check.kind != "exit" for check in agent.checks)


@pytest.mark.parametrize(
    "fields",
    [
        "{id: a, run: [ls], prompt: p}",
        "{id: a, run: ls -l}",
        "{id: a, run: []}",
        "{id: a, run: [ls], should_trigger: true}",
        "{id: a, run: [ls], checks: [{skill-invoked: true}]}",
        "{id: a, run: [ls], checks: [{tool-called: Read}]}",
        "{id: a, prompt: p, stdin: x}",
    ],
)
def test_what_does_not_fit_a_unit_test_is_refused(unit_tests: Suite, fields: str) -> None:
    with pytest.raises(InputError) as caught:
        unit_tests({"tests/a.yaml": f"format: selftune.unit-tests/1\ncases:\n  - {fields}\n"})
    assert caught.value.at is not None
    assert caught.value.at.line == 3


def test_other_files_under_tests_are_nobodys_business(unit_tests: Suite) -> None:
    reading = unit_tests({"tests/evals.json": {"evals": [{"prompt": "p"}]}, "tests/x.yaml": "a: 1", "tests/y.json": "{"})
    assert reading == EvalReading()


def test_a_named_file_must_be_a_unit_test_file(unit_tests: Suite) -> None:
    with pytest.raises(InputError) as caught:
        unit_tests({"tests/x.yaml": "a: 1"}, explicit=True)
    assert caught.value.hint == "write it as selftune.unit-tests/1"


def test_files_of_our_formats_in_the_wrong_place_are_named(unit_tests: Suite, evals: Suite) -> None:
    (finding,) = unit_tests({"tests/a.yaml": "format: selftune.evals/1\ncases: []\n"}).findings
    assert (finding.code, finding.hint) == ("eval-file-not-read", "name it under `evals:` in selftune.yaml")
    (finding,) = evals({"evals/a.yaml": SCRIPT}).findings
    assert (finding.code, finding.hint) == ("eval-file-not-read", "name it under `unit_tests:` in selftune.yaml")
