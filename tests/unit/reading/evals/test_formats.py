"""Every format of other tools, in a file of ours that holds what the format can say: cases, polarity, checks, findings."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Struct

from selftune_build.model.case import CaseFile
from selftune_build.model.finding import Severity
from selftune_build.model.manifest import Limits
from selftune_build.reading.evals import EvalReading
from selftune_build.reading.evals.recognise import FORMATS

Suite = Callable[..., EvalReading]
Checks = list[tuple[str, dict[str, Any]]]


class Expected(Struct, frozen=True):
    """What the first case of a suite has to be."""

    format: str
    files: dict[str, Any]
    id: str
    prompt: str
    should_trigger: bool | None
    checks: Checks


def yaml(text: str) -> str:
    return textwrap.dedent(text)


VALLY = yaml("""\
    name: pdf-suite
    defaults: {timeout: 2m}
    stimuli:
      - name: "Routing: fill in"
        prompt: fill in this form
        constraints: {max_turns: 4, max_tokens: 900}
        environment: {files: [{src: ../form.txt, dest: form.txt}], commands: ["mkdir out"]}
        rubric: [It is polite.]
        graders:
          - {type: completed}
          - {type: skill-invocation, config: {required: [pdf], disallowed: [xlsx]}}
          - {type: output-contains, config: {substring: Done}}
          - {type: output-matches, config: {pattern: "(?i)saved"}}
          - {type: output-matches, config: {pattern: sorry, negate: true}}
          - {type: file-exists, config: {path: out/form.pdf}}
          - {type: file-matches, config: {path: out/log.txt, pattern: ok}}
          - {type: file-not-matches, config: {path: out/log.txt, pattern: bad}}
          - {type: tool-calls, config: {required: ["^edit$", {name: bash, command: make}], disallowed: [web]}}
          - {type: prompt}
          - {type: prompt, config: {prompt: "Is it good?", threshold: 0.75}}
          - {type: wall-time, config: {max: 90s}}
          - {type: run-command, config: {command: test -f x, expected_exit_code: 1}}
    """)
DOTNET = yaml("""\
    scenarios:
      - name: fill a form
        prompt: fill in this form
        timeout: 60
        expect_activation: false
        setup:
          commands: ["touch a"]
          files: [{path: in/form.txt, content: empty}, {path: b.txt, source: assets/b.txt}]
        assertions:
          - {type: exit_success}
          - {type: output_contains, value: Done}
          - {type: output_not_matches, pattern: so+rry}
          - {type: file_contains, path: out.txt, value: ok}
        rubric: [It is polite.]
        expect_tools: [bash]
        reject_tools: [web]
        max_turns: 5
    """)
WAZA_TASK = yaml("""\
    id: fill-001
    name: Fill
    inputs:
      prompt: fill in this form
      files: [{path: form.txt}, {path: note.txt, content: hi}]
    expected: {should_trigger: true, output_contains: [Done], behavior: {max_tokens: 100, required_tools: [bash]}}
    graders:
      - {name: order, type: action_sequence, config: {matching_mode: in_order_match, expected_actions: [read, edit]}}
      - {name: file, type: file, config: {content_patterns: [{path: o.txt, must_match: [ok], must_not_match: [bad]}]}}
      - {name: shape, type: json_schema, config: {schema: {type: object}}}
      - {name: same, type: diff, config: {expected_files: [{path: o.txt, snapshot: snap.txt}]}}
      - {name: judge, type: prompt, config: {prompt: "Is it good?", mode: pairwise}}
      - {name: tool, type: tool_constraint, config: {reject_tools: [{tool: web}]}}
    """)
WAZA = yaml("""\
    name: pdf-eval
    skill: pdf
    version: "1.0"
    config: {trials_per_task: 1, timeout_seconds: 30, executor: mock, model: m}
    metrics: [{name: a, weight: 1, threshold: 1}]
    graders: [{type: text, name: polite, config: {not_contains: [sorry], regex_match: ["a+"]}}]
    tasks: ["tasks/*.yaml"]
    """)
SKILL_UP = yaml("""\
    schema_version: v1alpha1
    environment: {type: none}
    cases:
      files: [evals/cases/fill.yaml]
      defaults: {timeout_seconds: 40, max_turns: 6, expect: {exit_code: 0, must_not_contain: [sorry]}}
    """)
SKILL_UP_CASE = yaml("""\
    title: Fill
    input: {prompt: fill in this form}
    context: {files: {form.txt: empty}, git: {init: true}}
    expect: {must_contain: [Done], files_exist: [out.pdf]}
    judge:
      type: rule_based
      success:
        - output_contains: {all: [one], any: [two, three], not: [four]}
        - tool_called: {name: bash, args: {cmd: make}}
      failure:
        - output_contains: {all: [broken]}
    """)
HARNESS = yaml("""\
    name: pdf
    execution: {mode: case, prompt: "fill in {{ input.thing }}", timeout: 50}
    runner: {type: claude-code}
    dataset: {path: cases}
    judges:
      - {name: good, prompt: "Is it good?"}
      - {name: code, check: "return True, 'x'"}
    """)
CASE_YAML = yaml("""\
    schema_version: "1.1"
    name: fill
    context: {scaffold_script: make.sh}
    execution: {prompt: fill in this form, max_turns: 7}
    graders: [{name: first, type: regex, pattern: Done, flags: i}]
    """)
BENCHMARK = {
    "version": 1,
    "skill_name": "pdf",
    "variants": ["with_skill", "without_skill"],
    "cases": [
        {
            "id": "fill",
            "split": "holdout",
            "trigger_type": "negative-near-miss",
            "prompt": "fill in this form",
            "expected_behavior": ["A note."],
            "assertions": [
                {"name": "a", "type": "contains_any", "values": ["x.", "y"]},
                {"name": "b", "type": "excludes_any", "values": ["z"], "ci": False},
                {"name": "c", "type": "judge", "rubric": ["It is polite.", "It is short."]},
                {"name": "d", "type": "similarity", "expected": "x"},
            ],
        }
    ],
}
SUITES = [
    Expected(
        "evals.json",
        {
            "evals/evals.json": {
                "skill_name": "pdf",
                "evals": [{"id": 1, "prompt": "fill in this form", "expectations": ["It is polite."], "should_trigger": True}],
            }
        },
        "1",
        "fill in this form",
        True,
        [("sentence", {"text": "It is polite."})],
    ),
    Expected(
        "question-list",
        {
            "evals/evals.json": [
                {
                    "id": "q1",
                    "question": "fill in this form",
                    "expected_skill": None,
                    "ground_truth": "no",
                    "expected_behavior": ["Says no."],
                }
            ]
        },
        "q1",
        "fill in this form",
        False,
        [("sentence", {"text": "Says no."})],
    ),
    Expected(
        "trigger-set",
        {"evals/t.json": [{"id": "a", "query": "fill in this form", "should_trigger": False}]},
        "a",
        "fill in this form",
        False,
        [],
    ),
    Expected(
        "claude-plugin-eval",
        {
            "evals/group/fill/prompt.md": "---\nmax_turns: 5\ntags: [smoke]\n---\n\nfill in this form\n",
            "evals/group/fill/graders/a-fired.md": "---\ntype: tool_used\ntool: Skill\nmin: 1\n---\n",
            "evals/group/fill/graders/b-judge.md": "---\ntype: llm\nweight: 2\n---\nPASS if polite.\n",
            "evals/group/fill/graders/c-file.md": (
                "---\ntype: regex\ntarget: {source: file, path: out.txt}\nmatch: not_contains\n---\nbad\n"
            ),
            "evals/group/fill/graders/d-tool.md": "---\ntype: tool_used\ntool: Bash\nmin: 2\nmax: 4\n---\n",
            "evals/group/fill/graders/e-order.md": "---\ntype: tool_order\nbefore: Read\nafter: Edit\n---\n",
            "evals/group/fill/graders/f-exists.md": "---\ntype: file_exists\npath: out.txt\nexists: false\n---\n",
        },
        "fill",
        "fill in this form",
        True,
        [
            ("sentence", {"text": "PASS if polite."}),
            ("file-regex", {"path": "out.txt", "pattern": r"\A(?![\s\S]*?(?:bad))"}),
            ("tool-count", {"name": "Bash", "min": 2, "max": 4}),
            ("tool-order", {"names": ["Read", "Edit"]}),
            ("file-absent", {"path": "out.txt"}),
        ],
    ),
    Expected(
        "waza",
        {
            "evals/eval.yaml": WAZA,
            "evals/tasks/fill.yaml": WAZA_TASK,
            "evals/fixtures/form.txt": "empty",
            "evals/tasks/snap.txt": "same\n",
        },
        "fill-001",
        "fill in this form",
        True,
        [
            ("not-contains", {"text": "sorry", "ignore-case": True}),
            ("regex", {"pattern": "a+"}),
            ("tool-order", {"names": ["read", "edit"]}),
            ("file-regex", {"path": "o.txt", "pattern": "ok"}),
            ("file-regex", {"path": "o.txt", "pattern": r"\A(?![\s\S]*?(?:bad))"}),
            ("json-schema", {"schema": {"type": "object"}}),
            ("file-equals", {"path": "o.txt", "text": "same\n"}),
            ("pairwise", {"text": "Is it good?"}),
            ("tool-not-called", {"name": "web"}),
            ("contains", {"text": "Done", "ignore-case": True}),
            ("tool-called", {"name": "bash"}),
            ("max-tokens", {"value": 100}),
        ],
    ),
    Expected(
        "waza-triggers",
        {"evals/x.yaml": "skill: pdf\nshould_not_trigger_prompts: [{prompt: fill in this form, confidence: high}]\n"},
        "fill-in-this-form-",
        "fill in this form",
        False,
        [],
    ),
    Expected(
        "vally",
        {"evals/any.yaml": VALLY, "form.txt": "empty"},
        "Routing: fill in",
        "fill in this form",
        True,
        [
            ("skill-not-invoked", {"skill": "xlsx"}),
            ("contains", {"text": "Done"}),
            ("regex", {"pattern": "saved", "ignore-case": True}),
            ("not-regex", {"pattern": "sorry"}),
            ("file-exists", {"path": "out/form.pdf"}),
            ("file-regex", {"path": "out/log.txt", "pattern": "ok"}),
            ("file-regex", {"path": "out/log.txt", "pattern": r"\A(?![\s\S]*?(?:bad))"}),
            ("tool-called", {"name": "edit"}),
            ("tool-called", {"name": "bash", "arguments": {"/command": "make"}}),
            ("tool-not-called", {"name": "web"}),
            ("sentence", {"text": "It is polite."}),
            ("rubric", {"criteria": [{"text": "Is it good?", "weight": 1}], "min": "0.75"}),
            ("max-seconds", {"value": 90}),
            ("command", {"run": ["sh", "-c", "test -f x"], "exit": 1}),
            ("max-turns", {"value": 4}),
            ("max-tokens", {"value": 900}),
        ],
    ),
    Expected(
        "dotnet",
        {"evals/any.yaml": DOTNET, "assets/b.txt": "b"},
        "fill a form",
        "fill in this form",
        False,
        [
            ("contains", {"text": "Done", "ignore-case": True}),
            ("not-regex", {"pattern": "so+rry", "ignore-case": True}),
            ("file-contains", {"path": "out.txt", "text": "ok"}),
            ("sentence", {"text": "It is polite."}),
            ("tool-called", {"name": "bash"}),
            ("tool-not-called", {"name": "web"}),
            ("max-turns", {"value": 5}),
        ],
    ),
    Expected(
        "skillgrade",
        {
            "evals/any.yaml": yaml("""\
                version: "1"
                defaults: {timeout: 20, threshold: 0.6}
                tasks:
                  - name: fill
                    instruction: task.txt
                    workspace: [{src: form.txt, dest: in/form.txt}]
                    graders:
                      - {type: deterministic, run: node check.js, weight: 0.7}
                      - {type: llm_rubric, rubric: It is polite., weight: 0.3}
                """),
            "evals/task.txt": "fill in this form",
            "form.txt": "empty",
        },
        "fill",
        "fill in this form",
        None,
        [
            ("score", {"run": ["sh", "-c", "node check.js"], "min": "0.6"}),
            ("rubric", {"criteria": [{"text": "It is polite.", "weight": 1}], "min": "0.6"}),
        ],
    ),
    Expected(
        "skill-up",
        {"evals/eval.yaml": SKILL_UP, "evals/cases/fill.yaml": SKILL_UP_CASE},
        "fill",
        "fill in this form",
        None,
        [
            ("not-contains", {"text": "sorry"}),
            ("contains", {"text": "Done"}),
            ("file-exists", {"path": "out.pdf"}),
            ("contains", {"text": "one"}),
            ("not-contains", {"text": "four"}),
            ("regex", {"pattern": "two|three"}),
            ("tool-called", {"name": "bash", "arguments": {"/cmd": "^make$"}}),
            ("not-contains", {"text": "broken"}),
        ],
    ),
    Expected(
        "agent-eval-harness",
        {
            "evals/eval.yaml": HARNESS,
            "evals/cases/case-001/input.yaml": "thing: this form\n",
            "evals/cases/case-001/note.yaml": "a: 1\n",
        },
        "case-001",
        "fill in this form",
        None,
        [
            ("sentence", {"text": "Is it good?"}),
            ("unsupported", {}),
        ],
    ),
    Expected(
        "tessl",
        {
            "evals/scenario-0/task.md": "# Task\n\nfill in this form\n",
            "evals/scenario-0/criteria.json": {
                "context": "c",
                "type": "weighted_checklist",
                "checklist": [
                    {"name": "polite", "description": "It is polite.", "max_score": 12},
                    {"name": "It is short.", "max_score": 8},
                ],
            },
        },
        "scenario-0",
        "# Task\n\nfill in this form",
        None,
        [("sentence", {"text": "It is polite."}), ("sentence", {"text": "It is short."})],
    ),
    Expected(
        "shared-benchmark",
        {"evals/shared-benchmark.json": BENCHMARK},
        "fill",
        "fill in this form",
        False,
        [
            ("regex", {"pattern": r"x\.|y", "ignore-case": True}),
            ("not-contains", {"text": "z"}),
            ("sentence", {"text": "It is polite."}),
            ("sentence", {"text": "It is short."}),
            ("unsupported", {}),
        ],
    ),
    Expected(
        "selftune-unit-tests",
        {
            "evals/any.json": [
                {
                    "id": "gen-1",
                    "skill_name": "pdf",
                    "query": "fill in this form",
                    "assertions": [
                        {"type": "contains", "value": "Done", "description": "d"},
                        {"type": "regex", "value": "a+"},
                        {"type": "tool_not_called", "value": "Web"},
                        {"type": "json_path", "value": "status=ok"},
                        {"type": "json_path", "value": "status"},
                    ],
                }
            ]
        },
        "gen-1",
        "fill in this form",
        None,
        [
            ("contains", {"text": "Done"}),
            ("regex", {"pattern": "a+"}),
            ("tool-not-called", {"name": "Web"}),
            ("json-path", {"path": "$.status", "equals": "ok"}),
            ("unsupported", {}),
        ],
    ),
]


@pytest.mark.parametrize("expected", SUITES, ids=lambda each: each.format)
def test_a_suite_is_read_as_what_it_says(evals: Suite, expected: Expected) -> None:
    (case,) = evals(expected.files).cases
    assert case.origin is not None
    assert case.origin.format == expected.format
    assert case.id.startswith(expected.id)
    assert (case.prompt, case.should_trigger) == (expected.prompt, expected.should_trigger)
    found = [(check.kind, {} if check.kind == "unsupported" else check.params) for check in case.checks]
    assert found == expected.checks


@pytest.mark.parametrize("expected", SUITES, ids=lambda each: each.format)
def test_every_check_says_in_which_file_and_where_it_stands(evals: Suite, expected: Expected) -> None:
    (case,) = evals(expected.files).cases
    places = [check.origin for check in case.checks]
    assert all(place is not None and place.format == expected.format for place in places)
    assert {place.at.path for place in places if place} <= set(expected.files)
    assert all(place.at.line for place in places if place)


@pytest.mark.parametrize("expected", SUITES, ids=lambda each: each.format)
def test_a_key_that_nobody_knows_is_counted_and_shown(evals: Suite, expected: Expected) -> None:
    path = next(
        each for each in sorted(expected.files) if each.endswith((".json", "eval.yaml", "any.yaml", "x.yaml", "prompt.md"))
    )
    files = {**expected.files, path: with_stranger(expected.files[path])}
    said = [finding.message for finding in evals(files).findings if finding.code == "eval-field-not-read"]
    assert any("`stranger` is not read" in message for message in said)


def with_stranger(content: Any) -> Any:
    """The same suite with a key at its top, or in its first case where it is a list."""
    if isinstance(content, list):
        return [{**content[0], "stranger": 1}, *content[1:]]
    if isinstance(content, dict):
        return {**content, "stranger": 1}
    if content.startswith("---\n"):
        return content.replace("---\n", "---\nstranger: 1\n", 1)
    return f"stranger: 1\n{content}"


def test_every_format_that_is_read_is_in_this_table_or_is_ours() -> None:
    assert {each.format for each in SUITES} == {name for name, format_ in FORMATS.items() if not format_.ours}


def test_every_reader_names_the_upstream_file_that_it_was_written_from() -> None:
    import importlib

    modules = {
        each.read.__module__ for name, each in FORMATS.items() if not each.ours and name not in ("evals.json", "trigger-set")
    }
    for module in modules:
        assert "Written from" in (importlib.import_module(module).__doc__ or ""), module


@pytest.mark.parametrize("expected", SUITES, ids=lambda each: each.format)
def test_the_name_of_a_file_does_not_make_a_suite(evals: Suite, expected: Expected) -> None:
    names = [path for path in expected.files if path.startswith("evals/") and path.endswith((".json", ".yaml", "prompt.md"))]
    assert evals(dict.fromkeys(names, "{}")).cases == ()


@pytest.mark.parametrize(
    ("files", "limits", "dest"),
    [
        ({"evals/any.yaml": VALLY, "form.txt": "empty"}, Limits(120, 10), CaseFile("form.txt", b"empty")),
        ({"evals/any.yaml": DOTNET, "assets/b.txt": "b"}, Limits(60, 10), CaseFile("b.txt", b"b")),
        ({"evals/eval.yaml": SKILL_UP, "evals/cases/fill.yaml": SKILL_UP_CASE}, Limits(40, 6), CaseFile("form.txt", b"empty")),
    ],
)
def test_files_and_limits_come_along(evals: Suite, files: dict[str, Any], limits: Limits, dest: CaseFile) -> None:
    (case,) = evals(files).cases
    assert case.limits == limits
    assert dest in case.files


def test_prompt_and_case_file_are_one_case(evals: Suite) -> None:
    files = {
        "evals/fill/case.yaml": CASE_YAML,
        "evals/fill/prompt.md": "---\nmax_turns: 3\n---\nbetter words\n",
        "evals/fill/make.sh": "touch a\n",
        "evals/fill/graders/second.md": "---\ntype: llm\n---\nPASS if polite.\n",
    }
    (case,) = evals(files).cases
    assert (case.prompt, case.limits) == ("better words", Limits(120, 3))
    assert case.setup == (("bash", "-c", "touch a\n"),)
    assert [check.kind for check in case.checks] == ["regex", "sentence"]
    (alone,) = evals({path: text for path, text in files.items() if not path.endswith("prompt.md")}).cases
    assert (alone.prompt, alone.limits) == ("fill in this form", Limits(120, 7))


def test_a_case_of_a_plugin_that_goes_on_with_a_conversation_is_not_asked(evals: Suite) -> None:
    text = CASE_YAML.replace("scaffold_script: make.sh", "history_file: old.jsonl")
    reading = evals({"evals/fill/case.yaml": text})
    assert [check.kind for check in reading.cases[0].checks] == ["unsupported"]
    assert "case-not-supported" in {finding.code for finding in reading.findings}


@pytest.mark.parametrize(
    ("pattern", "should", "kinds"),
    [
        (r'"skill"\s*:\s*"(?:[\w-]+:)?pdf"', True, []),
        ("pdf", True, []),
        ("xlsx", None, ["skill-invoked"]),
        ("xl.x|doc", None, ["unsupported"]),
    ],
)
def test_a_pattern_on_the_skill_tool_says_which_skill_is_meant(
    evals: Suite, pattern: str, should: bool | None, kinds: list[str]
) -> None:
    grader = f"---\ntype: tool_used\ntool: Skill\ninput_match: '{pattern}'\n---\n"
    (case,) = evals({"evals/fill/prompt.md": "fill", "evals/fill/graders/g.md": grader}).cases
    assert (case.should_trigger, [check.kind for check in case.checks]) == (should, kinds)


def test_weights_keep_their_proportion_where_checks_have_them(evals: Suite) -> None:
    from selftune_build.reading.evals.counterpart import whole_weights

    assert whole_weights([0.7, 0.3]) == [70, 30]
    assert whole_weights([13, 8]) == [13, 8]
    assert whole_weights([1, 0.5, "x", True, 0, float("inf")]) == [100, 50, 100, 100, 100, 100]


def test_a_part_that_is_not_there_is_an_error(evals: Suite) -> None:
    for files in ({"evals/eval.yaml": WAZA}, {"evals/eval.yaml": SKILL_UP}):
        reading = evals(files)
        assert reading.cases == ()
        assert ("eval-part-missing", Severity.ERROR) in {(finding.code, finding.severity) for finding in reading.findings}


def test_a_part_that_cannot_be_read_is_an_error(evals: Suite) -> None:
    reading = evals({"evals/eval.yaml": WAZA, "evals/tasks/a.yaml": "id: [", "evals/tasks/fill.yaml": WAZA_TASK})
    assert len(reading.cases) == 1
    assert "eval-file-unreadable" in {finding.code for finding in reading.findings if finding.severity is Severity.ERROR}


def test_a_disabled_task_is_named_and_is_no_case(evals: Suite) -> None:
    reading = evals({"evals/eval.yaml": WAZA, "evals/tasks/fill.yaml": WAZA_TASK + "enabled: false\n"})
    assert reading.cases == ()
    assert "case-disabled" in {finding.code for finding in reading.findings}


@pytest.mark.parametrize(
    "grader",
    [
        "{type: llm, focus: trace}",
        "{type: regex, target: files, pattern: a}",
        '{type: regex, pattern: a, match: "count:2"}',
        "{type: regex, pattern: '('}",
        "{type: baseline, baseline_file: b.jsonl}",
        "{type: tool_used, tool: Bash, input_match: make}",
        "{type: file_exists, path: ../out}",
        "{type: from-tomorrow}",
        "{}",
    ],
)
def test_a_grader_without_a_counterpart_is_named_and_keeps_its_case_undecided(evals: Suite, grader: str) -> None:
    text = CASE_YAML.replace("{name: first, type: regex, pattern: Done, flags: i}", grader)
    reading = evals({"evals/fill/case.yaml": text, "evals/fill/make.sh": "true"})
    assert [check.kind for check in reading.cases[0].checks] == ["unsupported"]
    assert "check-not-supported" in {finding.code for finding in reading.findings}
