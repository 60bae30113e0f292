"""What real eval files look like, counted over public repositories: each oddity by its name, in a file of ours in that shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Struct

from selftune_build.errors import InputError
from selftune_build.model.finding import Severity
from selftune_build.reading.evals import EvalReading

Suite = Callable[..., EvalReading]
EVALS = "evals/evals.json"
ONE = {"id": "a", "prompt": "p", "assertions": ["It is polite."]}


class Oddity(Struct, frozen=True):
    """Files in that shape; id, prompt, polarity and kinds of checks of each case; codes of what was noticed."""

    name: str
    files: dict[str, Any]
    cases: list[tuple[str | None, str, bool | None, list[str]]]
    codes: set[str]


def vally(*stimuli: dict[str, Any], **around: Any) -> dict[str, Any]:
    return {"name": "s", **around, "stimuli": list(stimuli)}


def stimulus(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "prompt": "p", "graders": [{"type": "output-contains", "config": {"substring": name}}], **more}


def scenario(**more: Any) -> dict[str, Any]:
    return {"scenarios": [{"name": "s", "prompt": "p", "rubric": ["It is polite."], **more}]}


SENTENCE = ["sentence"]
ODDITIES = [
    Oddity("an object with evals", {EVALS: {"evals": [ONE]}}, [("a", "p", None, SENTENCE)], set()),
    Oddity("a bare list", {EVALS: [ONE]}, [("a", "p", None, SENTENCE)], set()),
    Oddity(
        "a skill with cases that have questions",
        {EVALS: {"skill": "pdf", "cases": [{"id": "a", "question": "q", "ground_truth": "It is so."}]}},
        [("a", "q", None, SENTENCE)],
        set(),
    ),
    Oddity("one bare object", {EVALS: ONE}, [("a", "p", None, SENTENCE)], set()),
    Oddity("an empty list", {EVALS: []}, [], {"eval-file-empty"}),
    Oddity("a list of another tool", {EVALS: [{"id": 1, "input": {"a": 1}, "score": 3}]}, [], {"eval-file-not-read"}),
    Oddity(
        "cases of another tool with checks under a key that nobody here knows",
        {"evals/evals.yaml": {"cases": [{"name": "n", "prompt": "p", "acceptance": [{"type": "contains", "value": "v"}]}]}},
        [],
        {"eval-file-not-read"},
    ),
    Oddity(
        "integer ids, zero among them",
        {EVALS: [{**ONE, "id": 0}, {**ONE, "id": 7}]},
        [("0", "p", None, SENTENCE), ("7", "p", None, SENTENCE)],
        set(),
    ),
    Oddity(
        "no id at all",
        {"evals/t.json": [{"query": "Fill in the form, please now", "should_trigger": True}]},
        [("fill-in-the-form-please-81fed4", "Fill in the form, please now", True, [])],
        set(),
    ),
    Oddity(
        "names that are prose with spaces and colons",
        {"evals/x.yaml": vally(stimulus("Routing: form, filled in"))},
        [("Routing: form, filled in", "p", None, ["contains"])],
        set(),
    ),
    Oddity(
        "a true duplicate",
        {EVALS: [ONE, {**ONE, "prompt": "other"}]},
        [("a", "p", None, SENTENCE), ("a~b8ce2f", "other", None, SENTENCE)],
        {"case-id-repeated"},
    ),
    Oddity("the same case twice", {EVALS: [ONE, ONE]}, [("a", "p", None, SENTENCE)], {"case-repeated"}),
    Oddity(
        "the same content as expectations and as assertions",
        {EVALS: [{**ONE, "expectations": ["It is polite."]}]},
        [("a", "p", None, SENTENCE)],
        set(),
    ),
    Oddity(
        "expectations and assertions that differ",
        {EVALS: [{**ONE, "expectations": ["It is short."]}]},
        [("a", "p", None, [*SENTENCE, *SENTENCE])],
        set(),
    ),
    Oddity(
        "objects of several shapes as checks",
        {
            EVALS: [
                {
                    **ONE,
                    "assertions": [
                        {"type": "contains", "value": "v"},
                        {"name": "n", "check": "It is polite."},
                        {"name": "n", "text": "It is short."},
                        {"path": "a.b", "equals": 3},
                        {"path": "a.b", "gte": 0.5},
                    ],
                }
            ]
        },
        [("a", "p", None, ["contains", "sentence", "sentence", "unsupported", "unsupported"])],
        {"check-not-supported"},
    ),
    Oddity(
        "no check of any kind", {EVALS: {"evals": [{"id": "a", "prompt": "p"}]}}, [("a", "p", None, [])], {"case-without-check"}
    ),
    Oddity(
        "a question without a check",
        {EVALS: [{"id": "a", "question": "q", "ground_truth": ""}]},
        [("a", "q", None, [])],
        {"case-without-check"},
    ),
    Oddity(
        "a stimulus without a check",
        {"evals/x.yaml": vally({"name": "s", "prompt": "p"})},
        [("s", "p", None, [])],
        {"case-without-check"},
    ),
    Oddity(
        "a command and its input instead of a prompt",
        {EVALS: {"evals": [{"id": "a", "command": "x", "stdin": "y", "assertions": ["It is so."]}]}},
        [("a", "", None, ["unsupported"])],
        {"case-without-prompt", "eval-field-not-read"},
    ),
    Oddity(
        "a prompt that is kept in a file",
        {
            "evals/b.json": {"variants": [], "cases": [{"id": "a", "prompt_ref": "p.txt", "expected_behavior": ["It is so."]}]},
            "evals/p.txt": "from a file",
        },
        [("a", "from a file", None, SENTENCE)],
        set(),
    ),
    Oddity(
        "a prompt that is kept in a file that nobody published",
        {"evals/b.json": {"variants": [], "cases": [{"id": "a", "prompt_ref": "p.txt", "expected_behavior": ["It is so."]}]}},
        [("a", "", None, ["unsupported"])],
        {"case-file-missing"},
    ),
    Oddity(
        "another skill is expected",
        {EVALS: [{"id": "a", "question": "q", "expected_skill": "xlsx"}]},
        [("a", "q", None, [])],
        {"case-of-other-skill"},
    ),
    Oddity(
        "no skill is expected", {EVALS: [{"id": "a", "question": "q", "expected_skill": None}]}, [("a", "q", False, [])], set()
    ),
    Oddity(
        "several skills would do",
        {EVALS: [{"id": "a", "question": "q", "expected_skill": "pdf", "acceptable_skills": ["pdf", "xlsx"]}]},
        [("a", "q", True, [])],
        {"eval-field-not-read"},
    ),
    Oddity(
        "whether it should trigger stands in evals.json",
        {EVALS: {"evals": [{"id": "a", "prompt": "p", "should_trigger": False}]}},
        [("a", "p", False, [])],
        set(),
    ),
    Oddity(
        "activation is only ever denied",
        {"evals/x.yaml": scenario(expect_activation=False)},
        [("s", "p", False, SENTENCE)],
        set(),
    ),
    Oddity("activation at its default", {"evals/x.yaml": scenario()}, [("s", "p", None, SENTENCE)], {"eval-trigger-not-said"}),
    Oddity(
        "turns instead of a prompt",
        {"evals/x.yaml": vally({**stimulus("s"), "prompt": None, "turns": ["one", "two"]})},
        [("s", "one", None, ["unsupported"])],
        {"case-not-supported"},
    ),
    Oddity(
        "one turn instead of a prompt",
        {"evals/x.yaml": vally({**stimulus("s"), "prompt": None, "turns": ["one"]})},
        [("s", "one", None, ["contains"])],
        set(),
    ),
    Oddity(
        "a fragment that another file includes",
        {
            "evals/eval.yaml": vally(stimulus("s"), stimulus("t")),
            "evals/stimuli/s.yml": {"stimuli": [stimulus("s", tags={"a": "b"})]},
        },
        [("s", "p", None, ["contains"]), ("t", "p", None, ["contains"])],
        {"eval-file-fragment"},
    ),
    Oddity(
        "a fragment that nothing includes",
        {"evals/stimuli/s.yml": {"stimuli": [stimulus("s")]}},
        [("s", "p", None, ["contains"])],
        set(),
    ),
    Oddity(
        "suites under names of their own",
        {"evals/routing-eval.yaml": vally(stimulus("s")), "evals/vm.eval.yaml": vally(stimulus("t"))},
        [("s", "p", None, ["contains"]), ("t", "p", None, ["contains"])],
        set(),
    ),
    Oddity(
        "a timeout in words, a boolean and a number where text is expected",
        {
            "evals/x.yaml": (
                "name: s # a comment\n"
                "defaults: {timeout: 10m, runs: 3, verbose: true}\n"
                "stimuli: [{name: 7, prompt: p, graders: []}]\n"
            )
        },
        [("7", "p", None, [])],
        {"case-without-check"},
    ),
    Oddity(
        "a data set that is not in git",
        {
            "evals/eval.yaml": {
                "execution": {"mode": "case"},
                "dataset": {"path": "cases"},
                "judges": [{"name": "j", "prompt": "Good?"}],
            }
        },
        [],
        {"eval-part-missing", "eval-file-empty"},
    ),
    Oddity(
        "case.yaml instead of prompt.md",
        {
            "evals/a/case.yaml": {
                "schema_version": "1.1",
                "name": "a",
                "execution": {"prompt": "p"},
                "graders": [{"type": "llm", "criteria": "Ok."}],
            }
        },
        [("a", "p", None, SENTENCE)],
        set(),
    ),
    Oddity("YAML with several documents among fixtures", {"evals/fixtures/a.yaml": "a: 1\n---\nb: 2\n"}, [], set()),
    Oddity("broken YAML among fixtures", {"evals/fixtures/a.yaml": "a: [\n"}, [], set()),
    Oddity("JSON with comments among fixtures", {"evals/fixtures/a.json": '{"a": 1} // no\n'}, [], set()),
    Oddity("a suite among fixtures", {"evals/fixtures/a.json": [ONE]}, [], {"eval-file-not-read"}),
    Oddity(
        "results that lie beside the suite they are of",
        {"evals/r.json": {"skill": "pdf", "config": {}, "tasks": [{"test_id": "a", "status": "passed"}]}},
        [],
        {"eval-file-not-read"},
    ),
]


@pytest.mark.parametrize("oddity", ODDITIES, ids=lambda each: each.name)
def test_a_real_file_is_read_as_what_it_is(evals: Suite, oddity: Oddity) -> None:
    reading = evals(oddity.files)
    found = [(case.id, case.prompt, case.should_trigger, [check.kind for check in case.checks]) for case in reading.cases]
    assert found == oddity.cases
    assert {finding.code for finding in reading.findings} == oddity.codes


@pytest.mark.parametrize("oddity", ODDITIES, ids=lambda each: each.name)
def test_no_oddity_can_pass_for_a_measured_case(evals: Suite, oddity: Oddity) -> None:
    """A case that nothing is measured by is undecided, or a finding says so."""
    reading = evals(oddity.files)
    idle = [case for case in reading.cases if not case.checks and case.should_trigger is None]
    said = {"case-without-check", "case-of-other-skill"}
    assert len(idle) == sum(finding.code in said for finding in reading.findings)


def test_a_case_without_any_check_is_an_error_that_names_it(evals: Suite) -> None:
    for files in (
        {EVALS: [{"id": "lonely", "prompt": "p", "expected_output": ""}]},
        {"evals/x.yaml": vally({"name": "lonely", "prompt": "p"})},
    ):
        (finding,) = evals(files).findings
        assert (finding.code, finding.severity) == ("case-without-check", Severity.ERROR)
        assert "lonely" in finding.message


@pytest.mark.parametrize(
    ("entries", "path", "wrap"),
    [
        ([{"query": f"query {number}", "should_trigger": True} for number in range(3)], "evals/t.json", list),
        ([stimulus("same", prompt=f"prompt {number}") for number in range(3)], "evals/x.yaml", lambda items: vally(*items)),
        (
            [{"name": "same", "prompt": f"prompt {number}", "rubric": ["It is so."]} for number in range(3)],
            "evals/x.yaml",
            lambda items: {"scenarios": items},
        ),
        ([{"prompt": f"prompt {number}", "assertions": ["It is so."]} for number in range(3)], EVALS, list),
    ],
)
def test_a_case_that_is_inserted_in_the_middle_moves_no_id(
    evals: Suite, entries: list[dict[str, Any]], path: str, wrap: Callable[[list[dict[str, Any]]], Any]
) -> None:
    key = "query" if "query" in entries[0] else "prompt"
    new = {**entries[0], key: "something new"}
    before = {case.prompt: case.id for case in evals({path: wrap(entries)}).cases}
    after = {case.prompt: case.id for case in evals({path: wrap([entries[0], new, *entries[1:]])}).cases}
    assert len(before) == 3
    assert {prompt: after[prompt] for prompt in before} == before


@pytest.mark.parametrize(
    ("files", "home"),
    [
        ({"evals/evals.json": [{**ONE, "files": ["in/a.txt"]}], "in/a.txt": "x"}, ""),
        ({"evals/evals.json": [{**ONE, "files": ["in/a.txt"]}], "evals/in/a.txt": "x"}, ""),
        ({"evals/more/evals.json": [{**ONE, "files": ["in/a.txt"]}], "evals/in/a.txt": "x"}, ""),
        (
            {"evals/x.yaml": scenario(setup={"files": [{"path": "a.txt", "source": "../../data/a.txt"}]}), "data/a.txt": "x"},
            "skills/pdf",
        ),
        (
            {
                "evals/a/x.yaml": vally(stimulus("s", environment={"files": [{"src": "../../data", "dest": "."}]})),
                "data/a.txt": "x",
            },
            "",
        ),
        (
            {
                "evals/eval.yaml": {"skill": "pdf", "config": {}, "tasks": ["tasks/*.yaml"]},
                "evals/tasks/a.yaml": {
                    "id": "a",
                    "inputs": {"prompt": "p", "files": [{"path": "a.txt"}]},
                    "expected": {"output_contains": ["b"]},
                },
                "evals/fixtures/a.txt": "x",
            },
            "",
        ),
    ],
    ids=["the skill", "the eval folder", "its parent", "the skill, upwards", "the eval file, upwards", "fixtures"],
)
def test_where_the_paths_of_files_start(evals: Suite, files: dict[str, Any], home: str) -> None:
    (case,) = evals(
        files,
        *[
            path
            for path in files
            if path.startswith("evals/") and "tasks/" not in path and "fixtures" not in path and not path.endswith(".txt")
        ],
        home=home,
    ).cases
    assert [(file.dest.rpartition("/")[2], file.content) for file in case.files] == [("a.txt", b"x")]


@pytest.mark.parametrize("path", ["../../outside.txt", "/etc/passwd", "..\\x", "a/../../../b"])
def test_no_path_leads_out_of_the_root(evals: Suite, path: str) -> None:
    asked: list[str] = []

    def read(wanted: str) -> bytes:
        asked.append(wanted)
        raise FileNotFoundError(2, "no", wanted)

    suites = [
        scenario(setup={"files": [{"path": "a", "source": path}]}),
        vally(stimulus("s", environment={"files": [{"src": path, "dest": "a"}]})),
        {"version": "1", "tasks": [{"name": "t", "instruction": path, "workspace": [{"src": path, "dest": "a"}], "graders": []}]},
        {"schema_version": "v1alpha1", "cases": {"files": [path]}},
        {"variants": [], "cases": [{"id": "a", "prompt_ref": path}]},
    ]
    for suite in suites:
        evals({"evals/x.json": suite})
    from selftune_build.reading.evals import read_eval_files
    from tests.unit.reading.evals.conftest import as_bytes

    for suite in suites:
        contents = {"evals/x.json": as_bytes(suite)}
        read_eval_files(["evals/x.json"], lambda wanted, held=contents: held.get(wanted) or read(wanted), False)
    assert [wanted for wanted in asked if wanted.startswith(("/", ".."))] == []


def test_a_file_that_the_manifest_names_and_nobody_can_read_is_refused(evals: Suite) -> None:
    with pytest.raises(InputError):
        evals({"evals/x.yaml": {"cases": [{"name": "n", "prompt": "p", "acceptance": []}]}}, explicit=True)
