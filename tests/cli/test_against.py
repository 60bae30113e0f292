"""`--against REV`: today's rows against those of the lock of a revision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.repository import git
from tests.cli.test_statistics import brewery, coffee, conforms, text
from tests.property.kitchen import manifest
from tests.property.workspace import Built, Workspace

ANY = {gate: {"min": 0.0} for gate in ("trigger-recall", "task-pass-rate")}


def committed(folder: Path, cases: int, **agent: Any) -> Workspace:
    """A package that was built and committed."""
    workspace = brewery(folder, [coffee(n) for n in range(cases)], ANY, **agent)
    commit(workspace)
    return workspace


def commit(workspace: Workspace) -> None:
    """Build it and commit it with its lock."""
    assert workspace.build("brew").status == 0
    workspace.write(".gitignore", ".selftune\n")
    git(workspace.root, "init")
    git(workspace.root, "add", ".")
    git(workspace.root, "commit", "-m", "measured")


def regression(built: Built) -> dict[str, Any]:
    """The gate of the comparison."""
    (found,) = (gate for gate in built.package("brew")["gates"] if gate["id"] == "regression")
    return found


def spoil(workspace: Workspace) -> None:
    """An edit that makes every check fail."""
    workspace.edit("brew/SKILL.md", "Grind the beans.", "Grind some beans.")


def test_an_edit_that_breaks_the_suite_is_a_regression_and_the_cases_are_named(tmp_path: Path) -> None:
    workspace = committed(tmp_path, 6)
    spoil(workspace)
    built = workspace.build("brew", "--against", "HEAD")
    assert (built.status, regression(built)["verdict"], regression(built)["required"]) == (1, "fail", True)
    against = built.package("brew")["against"]
    shown = {each["what"]: (each["shown"], each["difference"], each["now"], each["then"]) for each in against["compared"]}
    assert shown["checks"] == ("worse", -1.0, 18, 18)
    assert shown["trigger"][0] == "nothing"
    assert [(each["target"], each["held_now"], each["held_then"]) for each in against["changes"]][:1] == [
        ("brew:replay[c0]", 0, 3)
    ]
    conforms(built.report, "selftune-report-1.json")
    told = text(workspace, "build", "brew", "--against", "HEAD")[1]
    assert "brew:replay[c0] holds less often: 0 of 3, was 3 of 3" in told


def test_the_comparison_needs_nothing_but_two_locks(tmp_path: Path) -> None:
    workspace = committed(tmp_path, 6)
    spoil(workspace)
    workspace.build("brew")
    workspace.remove_store()
    built = workspace.build("brew", "--locked", "--against", "HEAD")
    assert (built.status, built.calls, regression(built)["verdict"]) == (1, [], "fail")
    assert "gate-failed" in {problem["code"] for problem in built.package("brew")["problems"]}
    assert not (workspace.root / ".selftune").exists()


def test_the_verdict_of_a_comparison_stands_in_no_lock(tmp_path: Path) -> None:
    workspace = committed(tmp_path, 6)
    before = workspace.lock("brew")
    assert workspace.build("brew", "--against", "HEAD").status == 0
    assert workspace.lock("brew") == before
    spoil(workspace)
    workspace.build("brew", "--against", "HEAD")
    assert b"regression" not in workspace.lock("brew")
    assert workspace.build("brew", "--locked").status == 0


def test_a_small_suite_shows_nothing_and_that_refuses_nobody(tmp_path: Path) -> None:
    workspace = committed(tmp_path, 3)
    workspace.write("brew/SKILL.md", workspace.read("brew/SKILL.md") + "Serve it hot.\n")
    built = workspace.build("brew", "--against", "HEAD")
    assert (built.status, regression(built)["verdict"], regression(built)["required"]) == (0, "inconclusive", False)
    assert "no regression shown, a drop by 0.20 not ruled out" in regression(built)["message"]
    assert "--resample N" in regression(built)["advice"]


def test_a_case_that_was_asked_otherwise_is_not_compared(tmp_path: Path) -> None:
    workspace = committed(tmp_path, 4)
    cases = [coffee(n) for n in range(5)]
    cases[1]["prompt"] += " please"
    cases[2]["checks"] = [{"contains": "beans"}]
    workspace.evals("brew", cases)
    against = workspace.build("brew", "--against", "HEAD").package("brew")["against"]
    assert against["left_out"] == ["c1", "c2", "c4"]
    assert [each["cases"] for each in against["compared"]] == [2, 2]


def test_a_case_that_another_program_judged_is_not_compared(tmp_path: Path) -> None:
    graded = {**coffee(0), "checks": [{"command": {"run": ["python3", "evals/grade.py"]}}]}
    workspace = brewery(tmp_path, [graded, coffee(1)], ANY)
    workspace.write("brew/evals/grade.py", "raise SystemExit(0)\n")
    commit(workspace)
    workspace.write("brew/evals/grade.py", "raise SystemExit(1)\n")
    built = workspace.build("brew", "--against", "HEAD")
    assert built.calls == []
    assert built.package("brew")["against"]["left_out"] == ["c0"]
    assert built.package("brew")["metrics"]["task_pass_rate"]["value"] == 0.5


@pytest.mark.parametrize(("revision", "told"), [("nowhere", "no revision 'nowhere'"), ("HEAD~7", "has 0 parents")])
def test_a_revision_that_is_not_there_is_refused_before_anything_is_spent(tmp_path: Path, revision: str, told: str) -> None:
    workspace = committed(tmp_path, 2)
    spoil(workspace)
    before = len(workspace.lines())
    status, _, err = workspace.selftune("build", "brew", "--against", revision, "-C", str(workspace.root))
    assert status in (2, 3)
    assert told in err
    assert len(workspace.lines()) == before


def test_a_revision_without_a_lock_is_nothing_to_compare_with(tmp_path: Path) -> None:
    workspace = brewery(tmp_path, [coffee(0)], ANY)
    git(workspace.root, "init")
    git(workspace.root, "add", ".")
    git(workspace.root, "commit", "-m", "not measured yet")
    built = workspace.build("brew", "--against", "HEAD")
    assert built.status == 0
    assert regression(built)["message"] == "HEAD has no lock with evidence of the agent house"


def test_an_agent_without_noise_is_worse_as_soon_as_one_case_is(tmp_path: Path) -> None:
    workspace = committed(tmp_path, 3, deterministic=True)
    assert regression(workspace.build("brew", "--against", "HEAD"))["verdict"] == "pass"
    workspace.edit("brew/SKILL.md", "Grind the beans.", "Grind some beans.")
    assert regression(workspace.build("brew", "--against", "HEAD"))["verdict"] == "fail"


def required(workspace: Workspace, **samples: int) -> None:
    """Let the manifest ask for the comparison."""
    settings = manifest(deterministic=False)
    settings["defaults"].update(gates={**ANY, "regression": {}}, samples=samples)
    workspace.write("selftune.yaml", json.dumps(settings))


def test_a_required_comparison_takes_rounds_until_it_can_tell_and_pays_only_for_cases_that_are_compared(tmp_path: Path) -> None:
    workspace = committed(tmp_path, 12)
    required(workspace, min=3, max=9)
    cases = [coffee(n) for n in range(12)]
    workspace.evals("brew", [*cases, coffee(99)])
    built = workspace.build("brew", "--against", "HEAD")
    assert (built.status, regression(built)["verdict"]) == (0, "pass")
    sampled = [call["sample"] for call in built.calls if call["shown"].get("brew") and not call["prompt"].endswith("99")]
    rounds = max(sampled) - 2
    assert 1 <= rounds <= 6
    assert sampled == [3 + index // 12 for index in range(12 * rounds)]
    assert {arms["with_skill"]["n"] for case, arms in workspace.rows("brew").items() if case != "c99"} == {3 + rounds}
    assert workspace.rows("brew")["c99"]["with_skill"]["n"] == 3
    assert workspace.build("brew", "--locked", "--against", "HEAD").status == 0
    assert workspace.build("brew").report["spend"]["agent_calls"] == 0


def test_rounds_end_at_the_most_samples_and_the_verdict_is_open_then(tmp_path: Path) -> None:
    workspace = committed(tmp_path, 2)
    required(workspace, min=3, max=5)
    built = workspace.build("brew", "--against", "HEAD")
    assert (built.status, regression(built)["verdict"], regression(built)["required"]) == (3, "inconclusive", True)
    assert {arms["with_skill"]["n"] for arms in workspace.rows("brew").values()} == {5}
    assert workspace.build("brew", "--against", "HEAD").calls == []
    assert workspace.build("brew").status == 0  # without a revision nobody asks


def test_a_budget_holds_over_all_rounds(tmp_path: Path) -> None:
    workspace = committed(tmp_path, 2)
    required(workspace, min=3, max=9)
    built = workspace.build("brew", "--against", "HEAD", "--max-calls", "3")
    assert len(built.calls) == 3
    assert built.status == 3
