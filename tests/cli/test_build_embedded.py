"""The incremental promises with the agent that comes with the tool: what its rows say they saw is what an edit asks again.

It keeps no ledger, so here the report and the rows of the lock speak: a row that was asked again is one that is counted under
`run`, and every row whose `observed` names what was edited has to be among them.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.property.workspace import CHECKOUT, Built, Workspace

AGENT = "embedded"


@pytest.fixture(scope="module")
def built_examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example workspace without what is committed of its results, built."""
    folder = tmp_path_factory.mktemp("examples")
    leave = shutil.ignore_patterns("selftune.lock", ".selftune", "__pycache__")
    shutil.copytree(CHECKOUT / "examples/skills", folder / "workspace", ignore=leave)
    first = Workspace(folder / "workspace", folder / "ledger").build()
    assert first.report["spend"]["agent_calls"] > 20
    return folder / "workspace"


@pytest.fixture
def examples(built_examples: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(built_examples, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace", tmp_path / "ledger")


def rows_that_saw(workspace: Workspace, facet: str) -> dict[str, int]:
    """How many rows of each package observed a facet, where there are any."""
    counts = {
        name: sum(facet in row["observed"] for arms in workspace.rows(name, AGENT).values() for row in arms.values())
        for name in workspace.locks()
    }
    return {name: count for name, count in counts.items() if count}


def rows_run(built: Built) -> dict[str, int]:
    """How many rows of each package were asked again, where any were."""
    counts = {package["name"]: sum(stage["run"] for stage in package["stages"]) for package in built.report["packages"]}
    return {name: count for name, count in counts.items() if count}


def test_a_second_build_of_the_examples_asks_nothing(examples: Workspace) -> None:
    before = examples.locks()
    again = examples.build()
    assert again.report["spend"]["agent_calls"] == 0
    assert set(again.states.values()) == {"up-to-date"}
    assert examples.locks() == before


@pytest.mark.parametrize("package", ["meeting-minutes", "csv-report", "licence-choice"])
def test_an_edited_body_asks_the_rows_that_saw_it_and_no_other(package: str, examples: Workspace) -> None:
    before = examples.locks()
    expected = rows_that_saw(examples, f"{package}:body")
    text = examples.read(f"{package}/SKILL.md")
    examples.write(f"{package}/SKILL.md", text + "\nOne more line.\n")
    after = examples.build()
    assert expected != {}
    assert rows_run(after) == expected
    assert after.states[f"{package}:baseline"] == "up-to-date"
    examples.write(f"{package}/SKILL.md", text)
    assert rows_run(examples.build()) == {}
    assert examples.locks() == before


def test_an_edited_reference_asks_the_rows_that_read_it_and_no_other(examples: Workspace) -> None:
    saw = {
        path: rows_that_saw(examples, f"{path.parts[0]}:file:{'/'.join(path.parts[1:])}")
        for path in (found.relative_to(examples.root) for found in sorted(examples.root.glob("*/references/*.md")))
    }
    path, expected = next((path, rows) for path, rows in saw.items() if rows)
    examples.write(str(path), examples.read(str(path)) + "\nOne more line.\n")
    assert rows_run(examples.build()) == expected


def test_white_space_at_line_ends_asks_nothing(examples: Workspace) -> None:
    text = examples.read("csv-report/SKILL.md")
    examples.write("csv-report/SKILL.md", text.replace("\n", " \n").replace("--- \n", "---\n"))
    assert rows_run(examples.build()) == {}


def test_deleted_locks_come_back_from_the_store_and_from_nothing(examples: Workspace) -> None:
    before = examples.locks()
    for name in before:
        examples.lock_path(name).unlink()
    assert examples.build("-j", "1").report["spend"]["agent_calls"] == 0
    assert examples.locks() == before
    examples.remove_store()
    for name in before:
        examples.lock_path(name).unlink()
    assert examples.build("-j", "7", environment={"LC_ALL": "C", "TZ": "Asia/Tokyo"}).report["spend"]["agent_calls"] > 20
    assert examples.locks() == before


def test_a_store_that_is_gone_costs_nothing_while_the_locks_hold(examples: Workspace) -> None:
    before = examples.locks()
    examples.remove_store()
    assert rows_run(examples.build()) == {}
    assert examples.locks() == before


def test_no_exec_leaves_open_what_needs_a_script_and_keeps_nothing_of_it(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, tmp_path.parent / "ledger")
    assert workspace.selftune("create", "init", "--name", "brewer", "--description", "Brews.", "-C", str(tmp_path))[0] == 0
    refused = workspace.build("brewer", "--no-exec")
    problems = refused.package("brewer")["problems"]
    assert (refused.status, refused.package("brewer")["failures"]) == (3, [])
    assert any("--no-exec refuses to run it" in problem["message"] for problem in problems)
    assert "leave-capital" in workspace.rows("brewer", AGENT)
    assert workspace.build("brewer").status == 0
