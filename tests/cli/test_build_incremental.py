"""`selftune build` after an edit: exactly what the edit can have changed is asked again, and nothing else.

The agent is a command that keeps a ledger of its own, so "was asked" is what the agent says, not what the report says.
In the workspace, `black` and `latte` read the body of brew, `latte` also references/milk.md, `loaf` reads the body of bake,
`cup` is a case of bake in which brew is activated, and `song` activates nothing. `black`, `latte` and `loaf` have a baseline.
"""

from __future__ import annotations

import json
import os

import pytest

from tests.property.kitchen import BREW
from tests.property.workspace import Workspace

BLACK, LATTE, SONG = (case["prompt"] for case in BREW)
LOAF, CUP = "Knead some bread", "One espresso, fast"


def evidence(workspace: Workspace, name: str) -> dict[tuple[str, str], str]:
    """Digest of the evidence by case and arm."""
    return {(case, arm): row["evidence"] for case, arms in workspace.rows(name).items() for arm, row in arms.items()}


def tree_of(lock: bytes) -> str:
    return str(json.loads(lock)["package"]["tree"])


def without_tree(lock: bytes) -> dict[str, object]:
    return {**json.loads(lock), "package": None}


def test_given_a_new_workspace_when_built_then_each_case_is_asked_once_for_each_arm(fresh: Workspace) -> None:
    built = fresh.build()
    assert built.prompts == sorted([BLACK, BLACK, LATTE, LATTE, SONG, LOAF, LOAF, CUP])
    assert built.status == 0
    assert built.report["spend"] == {"agent_calls": 8, "judge_calls": 0, "cost_usd": 0.0, "reused": 0}


def test_given_a_built_workspace_when_built_again_then_nothing_is_asked_and_every_target_is_up_to_date(built: Workspace) -> None:
    before = built.locks()
    again = built.build()
    assert again.calls == []
    assert again.status == 0
    assert set(again.states.values()) == {"up-to-date"}
    assert again.report["spend"]["agent_calls"] == 0
    assert built.locks() == before


def test_given_an_edited_body_then_only_cases_that_activated_it_are_asked_again(built: Workspace) -> None:
    built.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans fine.")
    after = built.build()
    assert after.prompts == sorted([BLACK, LATTE, CUP])
    assert after.stage("brew:replay")["run"] == 2
    assert after.stage("brew:replay")["reused"] == 1
    assert after.reasons("brew:replay") == {("observed-changed", "brew:body")}
    assert after.reasons("bake:replay") == {("observed-changed", "brew:body")}


@pytest.mark.parametrize("line", ["license: MIT", "allowed-tools: Read", "metadata: {owner: kitchen}"])
def test_given_a_frontmatter_key_that_acts_after_activation_then_it_counts_as_the_body(line: str, built: Workspace) -> None:
    built.edit("brew/SKILL.md", "name: brew\n", f"name: brew\n{line}\n")
    assert built.build().prompts == sorted([BLACK, LATTE, CUP])


def test_given_an_edited_reference_then_only_cases_that_read_it_are_asked_again(built: Workspace) -> None:
    built.write("brew/references/milk.md", "Steam the milk gently.\n")
    after = built.build()
    assert after.prompts == [LATTE]
    assert after.reasons("brew:replay") == {("observed-changed", "brew:file:references/milk.md")}


def test_given_a_removed_reference_then_only_cases_that_read_it_are_asked_again(built: Workspace) -> None:
    (built.root / "brew/references/milk.md").unlink()
    assert built.build().prompts == [LATTE]
    built.write("brew/references/milk.md", "Steam the milk differently.\n")
    assert built.build().prompts == [LATTE]


def test_given_a_reference_that_nobody_read_then_nothing_is_asked_and_only_the_tree_digest_changes(built: Workspace) -> None:
    before = built.lock("brew")
    built.write("brew/references/water.md", "Boil the water.\n")
    built.write("brew/references/sugar.md", "New.\n")
    after = built.build()
    assert after.calls == []
    assert tree_of(built.lock("brew")) != tree_of(before)
    assert without_tree(built.lock("brew")) == without_tree(before)


def test_given_an_edited_description_then_every_case_whose_agent_is_shown_it_is_asked_again(noted: Workspace) -> None:
    noted.edit("brew/SKILL.md", "Makes coffee and espresso.", "Makes coffee and espresso drinks.")
    after = noted.build()
    # brew is on offer in all cases of both packages and in the baseline of bake; in its own baselines it is not.
    assert after.prompts == sorted([BLACK, LATTE, SONG, CUP, LOAF, LOAF])
    assert after.reasons("bake:baseline") == {("metadata-changed", "brew:metadata")}
    assert after.states["brew:baseline"] == "up-to-date"


def test_given_an_edited_prompt_then_only_that_case_is_asked_again_in_both_arms(noted: Workspace) -> None:
    noted.edit("brew/evals/evals.yaml", BLACK, "Make weak coffee")
    after = noted.build()
    assert after.prompts == ["Make weak coffee", "Make weak coffee"]
    assert after.reasons("brew:replay") == {("prompt-changed", "prompt")}


def test_given_an_edited_check_then_nothing_is_asked_and_the_case_is_judged_again(built: Workspace) -> None:
    before = built.rows("brew")
    built.edit("brew/evals/evals.yaml", "Steam", "Froth the cream")
    after = built.build()
    assert after.calls == []
    assert after.states["brew:replay"] == "built"
    rows = built.rows("brew")
    assert (before["latte"]["with_skill"]["passed"], rows["latte"]["with_skill"]["passed"]) == (1, 0)
    assert rows["latte"]["with_skill"]["evidence"] == before["latte"]["with_skill"]["evidence"]
    assert {case for case in rows if rows[case] != before[case]} == {"latte"}


def test_given_another_polarity_then_nothing_is_asked_and_the_case_is_judged_again(built: Workspace) -> None:
    before = built.rows("brew")
    built.evals("brew", [*BREW[:2], {**BREW[2], "should_trigger": True}])
    after = built.build()
    assert after.calls == []
    assert after.package("brew")["metrics"]["trigger_recall"]["n"] == 3
    assert {case for case, arms in built.rows("brew").items() if arms != before[case]} == {"song"}


def test_given_a_renamed_case_then_its_answers_are_found_under_the_new_name(built: Workspace) -> None:
    before = built.rows("brew")
    built.edit("brew/evals/evals.yaml", '"id": "black"', '"id": "strong"')
    assert built.build().calls == []
    rows = built.rows("brew")
    assert "black" not in rows
    assert rows["strong"]["with_skill"]["evidence"] == before["black"]["with_skill"]["evidence"]


def test_given_a_new_case_then_only_it_is_asked_and_a_removed_one_leaves_the_lock(built: Workspace) -> None:
    built.evals("brew", [*BREW[1:], {"id": "new", "prompt": "Some water", "should_trigger": False}])
    assert built.build().prompts == ["Some water"]
    assert sorted(built.rows("brew")) == ["latte", "new", "song"]


def test_given_touched_files_then_nothing_is_asked_and_nothing_is_written(built: Workspace) -> None:
    locks = {path: path.stat().st_mtime_ns for path in built.root.glob("*/selftune.lock")}
    for path in built.root.rglob("*.md"):
        os.utime(path, (1, 1))
    again = built.build()
    assert again.calls == []
    assert set(again.states.values()) == {"up-to-date"}
    assert {path: path.stat().st_mtime_ns for path in locks} == locks


def test_given_white_space_at_line_ends_of_the_skill_then_nothing_is_asked_and_the_tree_digest_is_refreshed(
    built: Workspace,
) -> None:
    before = built.lock("brew")
    text = built.read("brew/SKILL.md")
    (built.root / "brew/SKILL.md").write_bytes(text.replace("beans.\n", "beans.  \t\r\n").encode() + b"\n\n")
    after = built.build()
    assert after.calls == []
    assert tree_of(built.lock("brew")) != tree_of(before)
    assert without_tree(built.lock("brew")) == without_tree(before)
    assert after.states["brew:replay"] == "up-to-date"


def test_given_an_earlier_state_again_then_nothing_is_asked_and_the_lock_is_the_earlier_one_byte_for_byte(
    built: Workspace,
) -> None:
    before = built.locks()
    old, new = "Grind the beans.", "Grind the beans coarse."
    built.edit("brew/SKILL.md", old, new)
    built.edit("brew/evals/evals.yaml", "Steam", "Whisk")
    built.edit("bake/SKILL.md", "Bakes bread", "Bakes rye bread")
    assert len(built.build().calls) == 7
    built.edit("brew/SKILL.md", new, old)
    built.edit("brew/evals/evals.yaml", "Whisk", "Steam")
    built.edit("bake/SKILL.md", "Bakes rye bread", "Bakes bread")
    assert built.build().calls == []
    assert built.locks() == before


def test_given_many_edits_of_the_skill_then_its_baselines_are_never_asked_again(built: Workspace) -> None:
    before = evidence(built, "brew")
    built.edit("brew/SKILL.md", "Makes coffee", "Makes hot coffee")
    built.edit("brew/SKILL.md", "Grind the beans.", "Grind.")
    built.write("brew/references/milk.md", "Steam it.\n")
    built.write("brew/scripts/pour.py", "print('poured')\n")
    after = built.build()
    assert [call["prompt"] for call in after.calls if "brew" not in call["shown"]] == []
    arm = "without_skill"
    assert {key: value for key, value in evidence(built, "brew").items() if key[1] == arm} == {
        key: value for key, value in before.items() if key[1] == arm
    }


def test_given_a_new_sibling_then_every_case_is_asked_again_because_it_is_on_offer(noted: Workspace) -> None:
    noted.skill("boil", "Boils eggs.", "Boil.")
    after = noted.build()
    assert sorted(after.prompts) == sorted([BLACK, BLACK, LATTE, LATTE, SONG, LOAF, LOAF, CUP])
    assert after.reasons("brew:baseline") == {("skill-added", "boil:metadata")}


def test_given_siblings_with_one_prompt_then_they_share_one_call(fresh: Workspace) -> None:
    fresh.evals("brew", [{"id": "ours", "prompt": SONG, "should_trigger": False}])
    fresh.evals("bake", [{"id": "theirs", "prompt": SONG, "should_trigger": False}])
    assert fresh.build().prompts == [SONG]


def test_given_an_edited_agent_program_then_every_case_is_asked_again(noted: Workspace) -> None:
    noted.write("tools/agent.py", noted.read("tools/agent.py") + "\n# another agent\n")
    after = noted.build()
    assert len(after.calls) == 8
    assert after.reasons("brew:replay") == {("agent-changed", "files")}


@pytest.mark.parametrize(
    "setting", [{"samples": {"max": 5}}, {"gates": {"lift": {"min": 0.0, "required": False}}}, {"budget": {"max_calls": 99}}]
)
def test_given_other_thresholds_and_budgets_then_nothing_is_asked(setting: dict[str, object], built: Workspace) -> None:
    built.write("brew/selftune.yaml", json.dumps({"version": 1, **setting}))
    assert built.build().calls == []


def test_given_observe_package_then_every_edit_of_the_package_asks_that_case_again(fresh: Workspace) -> None:
    fresh.evals("brew", [{**BREW[0], "observe": "package"}, BREW[2]])
    fresh.evals("bake", [{"id": "loaf", "prompt": LOAF, "should_trigger": True}])
    fresh.build()
    fresh.write("brew/references/water.md", "Nobody reads this.\n")
    assert fresh.build().prompts == [BLACK]
    assert fresh.build().calls == []
