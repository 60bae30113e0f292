"""A human's signature under one row: `selftune lock accept`, what it does to verdicts, and when it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.cli.repository import committed, git
from tests.property.kitchen import ANY_RATE, BREW, manifest
from tests.property.workspace import Built, Workspace

POURS = "brew:unit-tests[pours]"
LATTE = "brew:replay[latte]"
SPILT = {"id": "pours", "run": ["python3", "scripts/pour.py"], "checks": [{"contains": "poured"}]}


@pytest.fixture
def failing(built: Workspace) -> Workspace:
    """The kitchen with a unit test that fails, built."""
    built.write("brew/scripts/pour.py", "print('spilt')\n")
    unit_tests(built, SPILT)
    assert built.build().status == 1
    return built


def unit_tests(workspace: Workspace, *cases: dict[str, Any]) -> None:
    """Write the unit tests of brew."""
    workspace.write("brew/tests/unit.yaml", json.dumps({"format": "selftune.unit-tests/1", "cases": cases}))


def accept(workspace: Workspace, target: str, reason: str = "it spills", status: int = 0) -> str:
    """Accept a row; what the command says."""
    done, stdout, stderr = workspace.selftune("lock", "accept", target, "--reason", reason, "-C", str(workspace.root))
    assert (done, "Traceback" in stderr) == (status, False), stderr
    return stdout + stderr


def told(built: Built, code: str) -> list[str]:
    """Messages of the findings of a kind about brew."""
    return [each["message"] for each in built.package("brew")["findings"] if each["code"] == code]


def taken(built: Built) -> list[tuple[str, str]]:
    """What is accepted of brew, with the reason."""
    return [(each["target"], each["reason"]) for each in built.package("brew")["accepted"]]


def codes(built: Built) -> set[str]:
    """Codes of the problems of brew."""
    return {each["code"] for each in built.package("brew")["problems"]}


def test_a_failing_row_that_is_accepted_does_not_fail_and_is_visible_everywhere(failing: Workspace) -> None:
    said = accept(failing, POURS)
    assert said.splitlines()[-1].startswith("next: selftune build brew -C ")
    built = failing.build("brew")
    assert (built.status, built.calls, taken(built)) == (0, [], [(POURS, "it spills")])
    checked = failing.build("--locked", "brew")
    assert (checked.status, codes(checked), taken(checked)) == (0, set(), taken(built))
    _, stdout, _ = failing.selftune("build", "brew", "-C", str(failing.root))
    assert f"accepted: {POURS} as it is: it spills" in stdout.replace("\n  ", " ")


def test_a_gate_that_leaves_a_row_out_says_so_alike_in_every_report(failing: Workspace, tmp_path: Path) -> None:
    unit_tests(failing, SPILT, {"id": "spills", "run": ["python3", "scripts/pour.py"], "checks": [{"contains": "spilt"}]})
    failing.build()
    accept(failing, POURS)
    files = {kind: tmp_path / kind for kind in ("junit", "sarif", "html")}
    summary = tmp_path / "summary"
    options = [word for kind, file in files.items() for word in (f"--{kind}", str(file))]
    environment = {**failing.environment, "GITHUB_STEP_SUMMARY": str(summary), "COLUMNS": "300"}
    place = ("-C", str(failing.root))
    status, text, _ = failing.selftune("build", "brew", *options, "--github", *place, environment=environment)
    built = failing.build("brew")
    (gate,) = [gate for gate in built.package("brew")["gates"] if gate["id"] == "unit-tests"]
    said = "1 accepted as is and left out: pours"
    assert (status, gate["verdict"], gate["accepted"], said in gate["message"]) == (0, "pass", ["pours"], True)
    assert built.package("brew")["metrics"]["unit_tests"]["n"] == 2  # measured all the same
    line = f"accepted: {POURS} as it is: it spills"
    assert [row.endswith("pass, 1 accepted") for row in text.splitlines() if row.startswith("  unit-tests ")] == [True]
    assert [row.endswith(", 1 accepted") for row in text.splitlines() if row.startswith("pass: ")] == [True]
    assert line in text
    document = ElementTree.parse(files["junit"]).getroot()
    skipped = document.findall(".//testcase[@name='pours']/skipped")
    assert [(each.get("type"), "it spills" in str(each.get("message"))) for each in skipped] == [("accepted", True)]
    assert said in "".join(document.find(".//testcase[@name='unit-tests']").itertext())  # type: ignore[union-attr]
    results = json.loads(files["sarif"].read_text())["runs"][0]["results"]
    assert [each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in results
            if each["ruleId"] == "accepted"] == ["brew/tests/unit.yaml"]  # fmt: skip
    page = files["html"].read_text()
    assert (said in page, line in page, page.count("1 accepted</span>")) == (True, True, 1)
    assert f"- `{line}`" in summary.read_text()
    assert "pass, 1 accepted |" in summary.read_text()


def test_a_gate_of_which_every_case_is_accepted_is_told_and_not_gone(failing: Workspace) -> None:
    accept(failing, POURS)
    for built in (failing.build("brew"), failing.build("--locked", "brew")):
        (gate,) = [gate for gate in built.package("brew")["gates"] if gate["id"] == "unit-tests"]
        assert (built.status, gate["verdict"], gate["required"], gate["accepted"]) == (0, "inconclusive", False, ["pours"])
        assert gate["message"] == "nothing left to decide; 1 accepted as is and left out: pours"
    assert "unit-tests" not in json.loads(failing.lock("brew"))["agents"]["house"]["gates"]


def test_a_waiver_is_told_although_there_are_more_warnings_than_are_shown(failing: Workspace) -> None:
    gone = " ".join(f"[{each}](gone/{each}.md)" for each in "abcdefg")
    failing.edit("brew/SKILL.md", "Grind the beans.", f"Grind the beans. {gone}")
    failing.build("brew")
    accept(failing, POURS)
    _, text, _ = failing.selftune("build", "brew", "-C", str(failing.root))
    assert "(-v shows all)" in text
    assert f"accepted: {POURS} as it is: it spills" in text.replace("\n  ", " ")


def test_the_counts_of_an_accepted_row_stay_in_the_lock_as_they_were_measured(failing: Workspace) -> None:
    before = failing.rows("brew")["pours"]
    accept(failing, POURS)
    failing.build()
    assert failing.rows("brew")["pours"] == before
    assert before["script"]["passed"] == 0


def test_the_next_change_of_what_the_row_depends_on_needs_a_new_waiver(failing: Workspace) -> None:
    accept(failing, POURS)
    assert failing.build("brew").status == 0
    failing.write("brew/scripts/pour.py", "print('spilt again')\n")
    built = failing.build("brew")
    assert (built.status, told(built, "waiver-ended")) == (1, [f"the waiver for {POURS} is for a row of before"])
    accept(failing, POURS, "still")
    document = failing.read("brew/selftune.yaml")
    assert (document.count("target:"), "still" in document, "it spills" in document) == (1, True, False)
    assert failing.build("brew").status == 0


def test_a_change_of_something_else_does_not_end_it(failing: Workspace) -> None:
    accept(failing, POURS)
    failing.edit("brew/references/milk.md", "Steam", "Steam and pour")
    assert failing.build("brew").status == 0


def test_an_accepted_case_is_left_out_of_rates_and_not_counted_as_passed(built: Workspace) -> None:
    cases = [{"id": f"c{number}", "prompt": f"Make coffee {number}", "should_trigger": True, "checks": [{"contains": "Grind"}]}
             for number in range(5)]  # fmt: skip
    built.evals(
        "brew",
        [*cases, {"id": "tea", "prompt": "Make coffee or tea", "should_trigger": True, "checks": [{"contains": "Tea"}]}, BREW[2]],
    )
    document = manifest()
    document["defaults"]["gates"] = {**ANY_RATE, "task-pass-rate": {"min": 0.5}}
    built.write("selftune.yaml", json.dumps(document))
    assert built.build("brew").status == 3  # 5 of 6 do not show 50 % at 95 %
    accept(built, "brew:replay[tea]")
    after = built.build("brew")
    gate = next(gate for gate in after.package("brew")["gates"] if gate["id"] == "task-pass-rate")
    assert (gate["verdict"], "5 of 5" in gate["message"]) == ("pass", True)
    assert after.package("brew")["metrics"]["task_pass_rate"]["n"] == 6


def test_a_stale_row_that_is_accepted_is_no_problem_under_locked(built: Workspace) -> None:
    built.edit("brew/references/milk.md", "Steam", "Steam and pour")
    assert "key-changed" in codes(built.build("--locked", "brew"))
    accept(built, LATTE, "the host is down")
    checked = built.build("--locked", "brew")
    assert (codes(checked), taken(checked)) == ({"tree-changed"}, [(LATTE, "the host is down")])
    built.edit("brew/references/milk.md", "Steam and pour", "Steam and stir")
    assert "key-changed" in codes(built.build("--locked", "brew"))


def test_a_waiver_of_a_stale_row_does_not_accept_what_it_then_measures(built: Workspace) -> None:
    built.edit("brew/references/milk.md", "Steam the milk.", "Pour the milk.")
    accept(built, LATTE)
    measured = built.build("brew")
    assert taken(measured) == []
    assert told(measured, "waiver-ended") == [f"the waiver for {LATTE} is for a row of before"]


def test_what_holds_is_not_accepted_and_what_is_no_row_neither(failing: Workspace) -> None:
    assert "holds: there is nothing to accept" in accept(failing, "brew:replay[black]", status=2)
    for word in ("brew", "verify", "brew:spec", "brew:verify[x]"):
        assert "is not a row" in accept(failing, word, status=2)
    accept(failing, "brew:replay[nowhere]", status=2)
    accept(failing, "nowhere:replay[black]", status=2)
    assert "needs a reason" in accept(failing, POURS, reason=" ", status=2)
    assert not (failing.root / "brew/selftune.yaml").exists()


def test_without_evidence_of_an_agent_there_is_nothing_to_accept(fresh: Workspace) -> None:
    assert "has no evidence of the agent 'house'" in accept(fresh, "brew:replay[black]", status=3)


FORMS = [
    "version: 1\n# Why we care.\nsamples: {min: 3}  # few\n\ngates:\n    spec: {}   # all\n    'lift': {required: false}\n",
    'version: 1\nevals:\n  - "evals/evals.yaml"   # the only one\nsamples:\n  min: 3\n',
    "version: 1\nevals:\n- evals/evals.yaml\n# the end",
    '{"version": 1, "samples": {"min": 3}}\n',
]


@pytest.mark.parametrize("text", FORMS)
def test_a_manifest_keeps_its_form_and_its_comments(failing: Workspace, text: str) -> None:
    failing.write("brew/selftune.yaml", text)
    failing.build()
    accept(failing, POURS, "it 'spills': # often")
    after = failing.read("brew/selftune.yaml")
    if text.startswith("{"):
        assert "accepted" in after
    else:
        assert after.startswith(text)
    assert failing.build("brew").status == 0
    assert taken(failing.build("--locked", "brew")) == [(POURS, "it 'spills': # often")]


def test_lines_around_the_waivers_stay_where_they_are(failing: Workspace) -> None:
    head = "version: 1\n# By hand.\naccepted:\n  # we know\n  - target: 'brew:replay[x]'  # old\n    key: k\n    reason: r\n"
    tail = "# What counts.\nsamples:\n    min:   3\n"
    failing.write("brew/selftune.yaml", head + tail)
    failing.build()
    accept(failing, POURS)
    after = failing.read("brew/selftune.yaml")
    assert (after.startswith(head), after.endswith(tail), after.count("target")) == (True, True, 2)


def test_a_package_without_a_manifest_gets_one(failing: Workspace) -> None:
    accept(failing, POURS)
    lines = failing.read("brew/selftune.yaml").splitlines()
    assert lines[0] == "version: 1"
    assert [line.split(":")[0].strip(" -") for line in lines[1:]] == ["accepted", "target", "key", "reason"]


def test_json_names_the_waiver_and_the_next_command(failing: Workspace) -> None:
    status, stdout, _ = failing.selftune("lock", "accept", POURS, "--reason", "x", "--json", "-C", str(failing.root))
    document: dict[str, Any] = json.loads(stdout)
    (waiver,) = document["accepted"]
    assert (status, waiver["target"], waiver["reason"]) == (0, POURS, "x")
    assert document["next_command"].startswith("selftune build brew -C ")
    assert waiver["key"] == failing.rows("brew")["pours"]["script"]["key"]


def test_a_waiver_of_the_same_change_does_not_count_where_another_policy_rules(failing: Workspace) -> None:
    committed(failing.root)
    git(failing.root, "checkout", "-qb", "topic")
    accept(failing, POURS)
    failing.build()
    checked = failing.build("--locked", "--policy", "main", "brew")
    assert (checked.status, codes(checked)) == (1, {"gate-failed", "policy-changed"})
    committed(failing.root)
    git(failing.root, "branch", "-f", "main")
    assert failing.build("--locked", "--policy", "main", "brew").status == 0


def test_escape_sequences_of_a_reason_reach_no_terminal(failing: Workspace, tmp_path: Path) -> None:
    assert "an escape makes the character U+001B" in accept(failing, POURS, "a\x1b[2Jb", status=2)
    assert not (failing.root / "brew/selftune.yaml").exists()
    accept(failing, POURS, "a\u202eb")
    _, stdout, _ = failing.selftune("build", "brew", "-C", str(failing.root))
    assert [line for line in stdout.splitlines() if not line.isprintable()] == []
