"""What a build says beside its verdict: what cannot be settled, what is flaky, who steals prompts, what a skill takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.property.kitchen import kitchen, manifest
from tests.property.workspace import CHECKOUT, Workspace

FICKLE = ["python3", "-I", "-S", "tools/agent.py", "--fickle", "--cost", "0.01"]


LIFT: dict[str, Any] = {**{gate: {"min": 0.0} for gate in ("trigger-recall", "task-pass-rate")}, "lift": {"min": 0.0}}


def coffee(number: int) -> dict[str, Any]:
    """A case that holds with the skill in every sample, and never without it."""
    checks = [{"contains": "Grind the beans"}]
    return {"id": f"c{number}", "prompt": f"Make strong coffee {number}", "should_trigger": True, "checks": checks}


def milk(number: int) -> dict[str, Any]:
    """A case whose check holds in those samples in which a fickle agent reads the reference."""
    return {
        "id": f"m{number}",
        "prompt": f"Pour coffee with milk {number}",
        "should_trigger": True,
        "checks": [{"contains": "Steam"}],
    }


def brewery(folder: Path, cases: list[dict[str, Any]], gates: dict[str, Any] | None = None, **agent: Any) -> Workspace:
    """One package with these cases, sampled three times."""
    workspace = kitchen(folder / "workspace", folder / "ledger")
    settings = manifest(**{"deterministic": False, **agent})
    settings["defaults"]["gates"] = (
        gates if gates is not None else {gate: {"min": 0.0} for gate in ("trigger-recall", "task-pass-rate")}
    )
    workspace.write("selftune.yaml", json.dumps(settings))
    workspace.evals("bake", [])
    workspace.evals("brew", cases)
    return workspace


def conforms(document: Any, schema: str) -> None:
    """Hold a document against one of our schemas."""
    jsonschema.validate(document, json.loads((CHECKOUT / "schemas" / schema).read_text(encoding="utf-8")))


def text(workspace: Workspace, *arguments: str) -> tuple[int, str, str]:
    """A command for people, its white space folded."""
    status, out, err = workspace.selftune(*arguments, "-C", str(workspace.root))
    return status, " ".join(out.split()), err


def test_three_perfect_cases_cannot_show_a_lift_and_are_told_so_before_anything_is_spent(tmp_path: Path) -> None:
    workspace = brewery(tmp_path, [coffee(n) for n in range(3)], LIFT)
    sentence = "lift cannot be settled: 3 cases cannot show a lift above 0.00; 5 would do"
    assert f"before anything is spent: brew: {sentence}" in text(workspace, "build", "brew", "--dry-run")[1]
    assert sentence in text(workspace, "plan", "brew")[1]
    assert workspace.lines() == []
    built = workspace.build("brew")
    assert built.stderr.splitlines()[0] == f"brew: {sentence}"
    assert (built.status, built.package("brew")["verdict"], len(built.calls)) == (3, "inconclusive", 18)
    (lift,) = (gate for gate in built.package("brew")["gates"] if gate["id"] == "lift")
    assert lift["verdict"] == "inconclusive"
    assert lift["advice"].startswith("add 2 cases that hold with the skill and fail without it")
    assert built.package("brew")["metrics"]["lift"]["value"] == 1.0
    assert built.package("brew")["unsettled"] == [sentence]


def test_what_is_proposed_settles_it(tmp_path: Path) -> None:
    workspace = brewery(tmp_path, [coffee(n) for n in range(5)], LIFT)
    built = workspace.build("brew")
    assert (built.status, built.stderr, built.package("brew")["unsettled"]) == (0, "", [])


def test_a_flaky_case_is_named_with_its_rate_in_every_report(tmp_path: Path) -> None:
    workspace = brewery(tmp_path, [coffee(0), *map(milk, range(6))], argv=FICKLE)
    package = workspace.build("brew").package("brew")
    rows = workspace.rows("brew")
    expected = {f"brew:replay[{case}]" for case, arms in rows.items() if 0 < arms["with_skill"]["passed"] < 3}
    assert expected
    assert {each["target"] for each in package["flaky"]} == expected
    first = package["flaky"][0]
    held = first["held"]
    assert (first["what"], first["n"], held) == ("checks", 3, rows[first["target"][12:-1]]["with_skill"]["passed"])
    assert first["all_of"] == pytest.approx([held / 3, 1 / 3 if held == 2 else 0.0, 0.0])
    assert first["any_of"] == pytest.approx([held / 3, 1.0 if held == 2 else 2 / 3, 1.0])
    told = f"all checks held in {held} of 3 samples"
    assert f"flaky: {first['target']}: {told}" in text(workspace, "build", "brew")[1]
    assert f"flaky: {told}" in text(workspace, "show", first["target"])[1]
    assert "flaky: brew:replay" in text(workspace, "build", "brew", "--locked")[1]
    shown = json.loads(workspace.selftune("show", first["target"], "--json", "-C", str(workspace.root))[1])
    assert shown["cases"][0]["flaky"] == [first]
    conforms(shown, "selftune-show-1.json")


def test_a_stolen_prompt_is_named_with_the_thief_and_stands_in_the_matrix(tmp_path: Path) -> None:
    workspace = brewery(tmp_path, [coffee(0), {"id": "cake", "prompt": "Coffee cake with bread", "should_trigger": True}])
    workspace.evals("bake", [{"id": "loaf", "prompt": "Knead some bread", "should_trigger": True}])
    report = workspace.build().report
    conforms(report, "selftune-report-1.json")
    routing = {package["name"]: package["routing"] for package in report["packages"]}
    stolen = [{"target": "brew:replay[cake]", "n": 3, "by": {"bake": 3}}]
    assert routing["brew"] == {"samples": 6, "own": 3, "others": {"bake": 3}, "none": 0, "unknown": 0, "stolen": stolen}
    assert routing["bake"] == {"samples": 3, "own": 3, "others": {}, "none": 0, "unknown": 0, "stolen": []}
    told = text(workspace, "build")[1]
    assert "stolen: brew:replay[cake]: bake in 3 of 3 samples instead of brew" in told
    assert "prompts of bake brew none not known brew 3 3 · ·" in told
    assert "bake 3 · · ·" in text(workspace, "build", "-v")[1]
    assert "stolen: bake in 3 of 3 samples" in text(workspace, "show", "brew:replay[cake]")[1]


def test_a_prompt_that_no_skill_took_is_not_stolen(tmp_path: Path) -> None:
    workspace = brewery(tmp_path, [{"id": "song", "prompt": "Sing a lullaby", "should_trigger": True}])
    package = workspace.build("brew").package("brew")
    assert package["routing"] == {"samples": 3, "own": 0, "others": {}, "none": 3, "unknown": 0, "stolen": []}
    assert "stolen" not in text(workspace, "build", "brew")[1]


def test_the_report_says_what_the_skill_takes_and_the_lock_does_not(tmp_path: Path) -> None:
    workspace = brewery(tmp_path, [coffee(0), milk(0)], argv=FICKLE)
    package = workspace.build("brew").package("brew")
    with_skill, without = package["efficiency"]["with_skill"], package["efficiency"]["without_skill"]
    assert package["efficiency"]["cases"] == 2
    assert (with_skill["samples"], with_skill["cost_usd"], with_skill["input_tokens"]) == (6, pytest.approx(0.01), 1.0)
    assert with_skill["turns"] is None
    assert with_skill["tool_calls"] >= 1.0
    assert without["tool_calls"] == 0.0
    assert with_skill["seconds"] > 0
    assert "tool calls" in text(workspace, "build", "brew", "-v")[1]
    assert b"seconds" not in workspace.lock("brew")
    assert b"cost_usd" not in workspace.lock("brew")


def test_the_text_of_a_skill_is_measured(tmp_path: Path) -> None:
    workspace = brewery(tmp_path, [coffee(0), {"id": "far", "prompt": "Wake me up", "should_trigger": True}])
    workspace.write("brew/references/lost.md", "Nobody leads here.\n" * 10)
    workspace.edit(
        "brew/SKILL.md", "Grind the beans.", "Grind the beans, see [the mill](references/mill.md) and [milk](references/milk.md)."
    )
    body = workspace.build("brew").package("brew")["body"]
    assert body["links"] == 0.5  # the mill is not there
    assert body["reached"] == pytest.approx(2 / 3)  # milk and water; nothing leads to lost.md
    assert body["covered"] == 0.5
    assert body["disclosure"] == pytest.approx(
        body["reference_tokens"] / (body["reference_tokens"] + body["body_tokens"] + 6), abs=0.02
    )


def test_more_samples_top_up_and_a_changed_gate_pays_for_nothing(tmp_path: Path) -> None:
    gates: dict[str, Any] = {"trigger-recall": {"min": 0.2}, "task-pass-rate": {"min": 0.2}}
    workspace = brewery(tmp_path, [coffee(n) for n in range(5)], gates)
    assert len(workspace.build("brew").calls) == 30
    settings = json.loads(workspace.read("selftune.yaml"))

    def rebuilt(**defaults: Any) -> tuple[int, int]:
        settings["defaults"].update(defaults)
        workspace.write("selftune.yaml", json.dumps(settings))
        built = workspace.build("brew")
        return built.status, len(built.calls)

    assert rebuilt(gates={**gates, "task-pass-rate": {"min": 0.95}}) == (3, 0)
    assert rebuilt(gates={"lift": {"min": 0.0}}) == (0, 0)
    assert rebuilt(samples={"min": 3, "confidence": 0.9}) == (0, 0)
    assert rebuilt(samples={"min": 5}) == (0, 20)
    assert {arm["n"] for arms in workspace.rows("brew").values() for arm in arms.values()} == {5}
    assert rebuilt(samples={"min": 3}) == (0, 0)
    assert sorted({call["sample"] for call in workspace.lines()}) == [0, 1, 2, 3, 4]


def test_a_changed_check_is_judged_on_the_samples_that_are_there(tmp_path: Path) -> None:
    workspace = brewery(tmp_path, [coffee(n) for n in range(5)])
    workspace.build("brew")
    workspace.evals("brew", [{**coffee(n), "checks": [{"contains": "Steam"}]} for n in range(5)])
    built = workspace.build("brew")
    assert built.calls == []
    assert built.package("brew")["metrics"]["task_pass_rate"]["value"] == 0.0


def test_a_gate_that_could_not_decide_says_what_to_do(tmp_path: Path) -> None:
    workspace = brewery(tmp_path, [coffee(n) for n in range(4)], {"task-pass-rate": {"min": 0.5}})
    told = text(workspace, "build", "brew")[1]
    assert (
        "not enough to show at least 0.50; 5 of 5 would to do: add 1 case that holds; more samples of the same cases do not"
        in told
    )
