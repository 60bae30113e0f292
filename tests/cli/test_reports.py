"""Reports where people look: JUnit, SARIF, annotations of GitHub, Markdown, a badge. All agree with the build."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import xmlschema
from markdown_it import MarkdownIt

from tests.cli.repository import committed
from tests.property.workspace import Workspace

HOSTILE = (
    "Make \u202e coffee ::error file=x::owned ##[add-mask]y `<b>` @everyone #1 ![i](http://e.vil/) | --- </testcase> {0} [l](u)"
)


def report(workspace: Workspace, tmp_path: Path, format_: str, *arguments: str) -> str:
    """The report in one format, written by a build."""
    file = tmp_path / f"report.{format_}"
    workspace.selftune("build", *arguments, f"--report={format_}={file}", "-C", str(workspace.root))
    return file.read_text(encoding="utf-8")


def outcomes_of(junit: str) -> dict[str, str]:
    """Outcome of every test: `passed`, or the name of the element inside."""
    outcomes = {}
    for case in ElementTree.fromstring(junit).iter("testcase"):
        bad = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        outcomes[f"{case.get('classname')}:{case.get('name')}"] = bad[0] if bad else "passed"
    return outcomes


@pytest.fixture
def failing(built: Workspace) -> Workspace:
    """One case that does not hold, counted by a gate that can say no."""
    cases = json.loads(built.read("brew/evals/evals.yaml"))
    cases["cases"][0]["checks"] = [{"contains": "Tea"}]
    built.write("brew/evals/evals.yaml", json.dumps(cases))
    return built


@pytest.fixture
def hostile(built: Workspace) -> Workspace:
    """Text of strangers wherever they can put some."""
    cases = json.loads(built.read("brew/evals/evals.yaml"))
    cases["cases"][0] |= {"prompt": HOSTILE, "checks": [{"contains": HOSTILE}]}
    built.write("brew/evals/evals.yaml", json.dumps(cases))
    return built


def test_a_build_that_passes_has_a_passed_test_for_every_row_and_gate(built: Workspace, tmp_path: Path) -> None:
    outcomes = outcomes_of(report(built, tmp_path, "junit"))
    assert {test for test, outcome in outcomes.items() if outcome != "passed"} == {"bake.gates:lift", "brew.gates:lift"}
    assert {"brew.replay:black", "brew.baseline:black", "bake.gates:trigger-recall"} <= outcomes.keys()


def test_a_case_fails_its_test_only_where_its_gate_does_not_pass(failing: Workspace, tmp_path: Path) -> None:
    lenient = report(failing, tmp_path, "junit")
    assert outcomes_of(lenient)["brew.replay:black"] == "passed"
    assert "did not hold, and its gates pass: contains" in lenient
    manifest = json.loads(failing.read("selftune.yaml"))
    manifest["defaults"]["gates"]["task-pass-rate"] = {"min": 0.9999}
    failing.write("selftune.yaml", json.dumps(manifest))
    status = failing.build().status
    strict = outcomes_of(report(failing, tmp_path, "junit"))
    expected = {1: "failure", 3: "error"}[status]
    assert strict["brew.replay:black"] == strict["brew.gates:task-pass-rate"] == expected


def test_what_was_not_measured_is_skipped_and_never_passed(fresh: Workspace, tmp_path: Path) -> None:
    outcomes = outcomes_of(report(fresh, tmp_path, "junit", "--dry-run"))
    rows = {test: outcome for test, outcome in outcomes.items() if ".replay:" in test or ".baseline:" in test}
    assert len(rows) == 8
    assert set(rows.values()) == {"skipped"}


def test_problems_of_a_lock_are_failures(built: Workspace, tmp_path: Path) -> None:
    built.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans slowly.")
    outcomes = outcomes_of(report(built, tmp_path, "junit", "--locked"))
    assert outcomes["brew.problems:key-changed brew:replay[black]"] == "failure"


def test_sarif_names_files_from_the_root_of_the_repository(built: Workspace, tmp_path: Path) -> None:
    committed(built.root.parent)
    built.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans slowly.")
    (run,) = json.loads(report(built, tmp_path, "sarif", "--locked"))["runs"]
    uris = {result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in run["results"]}
    assert "workspace/brew/selftune.lock" in uris
    assert all(uri.startswith("workspace/") for uri in uris)
    assert {result["ruleId"] for result in run["results"]} <= {rule["id"] for rule in run["tool"]["driver"]["rules"]}


def test_a_fingerprint_outlives_a_move_of_the_line(failing: Workspace, tmp_path: Path) -> None:
    def fingerprints() -> dict[str, int]:
        (run,) = json.loads(report(failing, tmp_path, "sarif"))["runs"]
        return {
            result["partialFingerprints"]["selftune/v1"]: result["locations"][0]["physicalLocation"]["region"]["startLine"]
            for result in run["results"]
        }

    before = fingerprints()
    failing.write("brew/evals/evals.yaml", "# a line more\n" + failing.read("brew/evals/evals.yaml"))
    after = fingerprints()
    assert before.keys() == after.keys()
    assert before != after


def obeyed(output: str) -> Iterator[str]:
    """The lines that a runner takes for commands, by the rules of its parser: a line that begins with `::` once blanks are cut,
    `##[` anywhere in a line; `stop-commands` switches both off until its word is said as a command."""
    stopped = None
    for line in output.splitlines():
        text = line.strip()
        if stopped is not None:
            stopped = None if text == f"::{stopped}::" else stopped
        elif text.startswith("::stop-commands::"):
            stopped = text.removeprefix("::stop-commands::")
        elif text.startswith("::") or "##[" in line:
            yield text


def test_no_text_of_a_stranger_is_a_command_to_the_runner(hostile: Workspace, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    environment = {**hostile.environment, "GITHUB_STEP_SUMMARY": str(summary)}
    _, stdout, _ = hostile.selftune("build", "-v", "--github", "-C", str(hostile.root), environment=environment)
    commands = list(obeyed(stdout))
    assert commands
    assert all(
        re.fullmatch(r"::(error|warning|notice) file=[^:]*,line=\d+,title=[^:,]*::(?!.*##\[).+", each) for each in commands
    )
    assert "owned" in stdout  # what the stranger wrote was there to be obeyed
    assert summary.read_text().startswith("before\n<!-- selftune-build -->\n")


def test_without_the_flag_no_line_is_a_command_either(hostile: Workspace) -> None:
    """The documented gate runs in a job of GitHub Actions, whose runner reads what every program prints."""
    cases = json.loads(hostile.read("brew/evals/evals.yaml"))
    cases["cases"][0]["id"] = "::error::owned"
    hostile.write("brew/evals/evals.yaml", json.dumps(cases))
    for words in (("build", "-v"), ("build", "--locked", "-v"), ("show", "brew:replay[::error::owned]"), ("plan",)):
        _, stdout, stderr = hostile.selftune(*words, "-C", str(hostile.root))
        assert list(obeyed(stdout + stderr)) == [], words
    assert "owned" in hostile.selftune("build", "--locked", "-v", "-C", str(hostile.root))[1]


def test_with_json_the_document_has_stdout_for_itself(hostile: Workspace) -> None:
    _, stdout, stderr = hostile.selftune("build", "--json", "--github", "-C", str(hostile.root))
    assert json.loads(stdout)["schema"] == "selftune.report/1"
    assert any(line.startswith("::") for line in stderr.splitlines())


def test_markdown_resolves_nothing_that_a_stranger_wrote(hostile: Workspace, tmp_path: Path) -> None:
    text = report(hostile, tmp_path, "markdown")
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    inline = [child for token in tokens for child in token.children or []]
    assert {child.type for child in inline} <= {"text", "code_inline", "softbreak", "strong_open", "strong_close", "html_inline"}
    assert {child.content for child in inline if child.type == "html_inline"} <= {"<br>"}
    outside = "".join(child.content for child in inline if child.type == "text")
    assert "@" not in outside
    assert "owned" not in outside
    assert any("owned" in child.content for child in inline if child.type == "code_inline")
    assert [line for line in text.split("\n") if not line.isprintable()] == []


def test_the_markdown_table_has_one_row_for_each_package(built: Workspace, tmp_path: Path) -> None:
    rows = [line for line in report(built, tmp_path, "markdown").splitlines() if line.startswith("| `")]
    assert [row.split(" | ")[0] for row in rows] == ["| `bake`", "| `brew`"]
    assert all("✅ pass" in row and "simulated" in row for row in rows)


def test_json_tells_of_every_row(failing: Workspace) -> None:
    rows = {row["target"]: row for package in failing.build().report["packages"] for row in package["rows"]}
    assert rows["brew:replay[black]"]["state"] == "failed"
    assert rows["brew:replay[song]"] | {"line": 0} == {
        "target": "brew:replay[song]",
        "case": "song",
        "arm": "with_skill",
        "state": "held",
        "n": 1,
        "triggered": 0,
        "passed": None,
        "should_trigger": False,
        "path": "brew/evals/evals.yaml",
        "line": 0,
        "accepted": None,
    }


def test_a_report_changes_nothing_of_the_build(built: Workspace, tmp_path: Path) -> None:
    locks = {path: path.read_bytes() for path in built.root.glob("*/selftune.lock")}
    for format_ in ("junit", "sarif", "markdown"):
        report(built, tmp_path, format_)
    assert {path: path.read_bytes() for path in built.root.glob("*/selftune.lock")} == locks


def test_a_badge_says_what_the_lock_says_and_by_which_evidence(built: Workspace) -> None:
    _, picture, _ = built.selftune("badge", "brew", "-C", str(built.root))
    root = ElementTree.fromstring(picture)
    assert root.get("aria-label") == "selftune: verified, simulated"
    built.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans slowly.")
    _, document, _ = built.selftune("badge", "brew", "--json", "-C", str(built.root))
    assert json.loads(document) == {"schemaVersion": 1, "label": "selftune", "message": "not verified, simulated", "color": "red"}


@pytest.mark.slow
def test_junit_is_what_the_schema_of_its_consumers_asks_for(hostile: Workspace, tmp_path: Path) -> None:
    """The schema of Jenkins' xUnit plugin, as the source distribution of pytest carries it."""
    download = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--no-binary",
        "pytest",
        "pytest==8.3.5",
        "-d",
        str(tmp_path),
    ]
    subprocess.run(download, check=True, capture_output=True)
    with tarfile.open(tmp_path / "pytest-8.3.5.tar.gz") as archive:
        schema = archive.extractfile("pytest-8.3.5/testing/example_scripts/junit-10.xsd")
        assert schema is not None
        rules = xmlschema.XMLSchema(schema.read().decode())
    hostile.edit("bake/SKILL.md", "Preheat the oven.", "Preheat it.")
    for arguments in ([], ["--locked"], ["--dry-run"]):
        rules.validate(report(hostile, tmp_path, "junit", *arguments))


@pytest.mark.slow
def test_sarif_is_what_its_official_schema_asks_for(hostile: Workspace, tmp_path: Path) -> None:
    """The schema of SARIF 2.1.0, as Microsoft's package of matchers for it carries it."""
    pack = ["npm", "pack", "--silent", "--pack-destination", str(tmp_path), "@microsoft/jest-sarif@1.0.0-beta.0"]
    subprocess.run(pack, check=True, capture_output=True, cwd=tmp_path)
    with tarfile.open(next(tmp_path.glob("*.tgz"))) as archive:
        schema = archive.extractfile("package/lib/schemas/sarif-2.1.0-rtm.5.json")
        assert schema is not None
        rules: dict[str, Any] = json.loads(schema.read())
    hostile.edit("bake/SKILL.md", "Preheat the oven.", "Preheat it.")
    for arguments in ([], ["--locked"], ["--dry-run"]):
        document = json.loads(report(hostile, tmp_path, "sarif", *arguments))
        assert document["runs"][0]["results"]
        jsonschema.Draft7Validator(rules).validate(document)
