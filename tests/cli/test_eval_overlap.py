"""`selftune eval family-overlap` and `eval composability` through the real command, with an agent that keeps a ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from selftune_build.limits import EVAL_FILE_BYTES
from tests.property.kitchen import kitchen
from tests.property.workspace import Workspace

THIEF = "Serves coffee with milk and strong tea and sugar."
"""Shares more words with the prompts of `brew` than `brew` itself."""


@pytest.fixture
def cafe(tmp_path: Path) -> Workspace:
    """The kitchen and a third skill, `buffet`, that is activated for both prompts of `brew`."""
    workspace = kitchen(tmp_path / "workspace", tmp_path / "ledger")
    workspace.skill("buffet", THIEF, "Put it on the table.")
    workspace.evals(
        "buffet",
        [
            {"id": "tea", "prompt": "Strong tea, please", "should_trigger": True},
            {"id": "sugar", "prompt": "Where is the sugar", "should_trigger": True},
            {"id": "plate", "prompt": "A slice of bread with tea, milk and sugar", "should_trigger": True},
        ],
    )
    return workspace


def asked(workspace: Workspace, *words: str) -> dict[str, Any]:
    """The JSON report of `selftune eval WORD…`, its exit status checked against it."""
    status, stdout, stderr = workspace.selftune("eval", *words, "--json", "-C", str(workspace.root))
    report: dict[str, Any] = json.loads(stdout)
    assert report["exit_code"] == status
    assert "Traceback" not in stderr
    return report


def calls(workspace: Workspace) -> int:
    """How often the agent was asked so far."""
    return len(workspace.lines())


def cells(report: dict[str, Any]) -> dict[tuple[str, str], float | None]:
    return {(cell["owner"], cell["activated"]): cell["share"] for cell in report["matrix"]}


def test_the_matrix_says_who_is_activated_for_whose_prompts(cafe: Workspace) -> None:
    report = asked(cafe, "family-overlap")
    assert cells(report) == {
        ("bake", "bake"): 1.0, ("bake", "brew"): 0.0, ("bake", "buffet"): 0.0,
        ("brew", "bake"): 0.0, ("brew", "brew"): 0.0, ("brew", "buffet"): 1.0,
        ("buffet", "bake"): 0.0, ("buffet", "brew"): 0.0, ("buffet", "buffet"): 1.0,
    }  # fmt: skip
    assert {call["prompt"] for call in cafe.lines()} == {
        "Make strong coffee", "Pour coffee with milk", "Knead some bread",
        "Strong tea, please", "Where is the sugar", "A slice of bread with tea, milk and sugar",
    }  # fmt: skip


def test_an_overlap_is_named_with_the_prompts_between_the_two(cafe: Workspace) -> None:
    (overlap,) = asked(cafe, "family-overlap")["overlaps"]
    assert (overlap["skills"], overlap["share"], overlap["pressure"]) == (["brew", "buffet"], 1.0, "high")
    assert [(each["owner"], each["case"], each["activated"]) for each in overlap["prompts"]] == [
        ("brew", "black", "buffet"),
        ("brew", "latte", "buffet"),
    ]


def test_the_text_has_the_matrix_and_says_that_a_simulation_spoke(cafe: Workspace) -> None:
    status, stdout, _ = cafe.selftune("eval", "family-overlap", "-C", str(cafe.root))
    lines = stdout.splitlines()
    assert status == 0
    assert "[2] brew      0%    0%  100%  of 2 prompts" in [line.strip() for line in lines]
    assert "overlap of brew and buffet: 100%, pressure high" in lines
    assert "  brew[black] activates buffet in 100%: Make strong coffee" in lines
    assert any(line.startswith("the agent is a simulation") for line in lines)


@pytest.mark.parametrize("flags", [("--min-shared", "3"), ("--min-overlap", "1", "--min-shared", "3")])
def test_thresholds_decide_what_is_reported_and_hide_nothing(flags: tuple[str, ...], cafe: Workspace) -> None:
    report = asked(cafe, "family-overlap", *flags)
    assert report["overlaps"] == []
    assert [each["skills"] for each in report["below_threshold"]] == [["brew", "buffet"]]


@pytest.mark.parametrize(
    "words", [("--prefix", "b"), ("--skills", "brew, buffet,bake"), ("bake", "brew", "--skill-path", "buffet")]
)
def test_the_family_can_be_named_in_several_ways(words: tuple[str, ...], cafe: Workspace) -> None:
    assert asked(cafe, "family-overlap", *words)["skills"] == ["bake", "brew", "buffet"]


def test_a_build_and_a_matrix_pay_for_the_same_samples_once(cafe: Workspace) -> None:
    cafe.build("replay")
    before = len(cafe.lines())
    assert asked(cafe, "family-overlap")["spend"]["agent_calls"] == 0
    assert len(cafe.lines()) == before


def test_what_a_matrix_took_a_build_does_not_take_again(cafe: Workspace) -> None:
    asked(cafe, "family-overlap")
    before = cafe.lines()
    cafe.build("replay")
    assert {call["prompt"] for call in cafe.lines()[len(before) :]} == {"Sing a lullaby", "One espresso, fast"}


def test_a_second_look_asks_nobody_and_an_edited_description_asks_again(cafe: Workspace) -> None:
    asked(cafe, "family-overlap")
    assert asked(cafe, "family-overlap")["spend"]["agent_calls"] == 0
    cafe.skill("buffet", "Serves tea and sugar.", "Put it on the table.")
    report = asked(cafe, "family-overlap")
    assert report["spend"]["agent_calls"] == 6
    assert (cells(report)["brew", "brew"], report["overlaps"]) == (1.0, [])


def test_no_lock_is_written(cafe: Workspace) -> None:
    asked(cafe, "family-overlap")
    asked(cafe, "composability", "--skill", "brew")
    assert cafe.locks() == {}


def test_a_dry_run_asks_nobody_and_says_what_is_missing(cafe: Workspace) -> None:
    report = asked(cafe, "family-overlap", "--dry-run")
    assert (report["exit_code"], report["spend"]["missing"], cafe.lines()) == (3, 6, [])
    assert cells(report)["brew", "buffet"] is None
    assert not (cafe.root / ".selftune").exists()


def paid(folder: Path, cases: int) -> Workspace:
    """The kitchen with an agent that bills half a dollar a call, and so many prompts of `brew` beside the one of `bake`."""
    costs = {"free": False, "deterministic": False, "argv": ["python3", "-I", "-S", "tools/agent.py", "--cost", "0.5"]}
    workspace = kitchen(folder / "workspace", folder / "ledger", **costs)
    workspace.evals("brew", [{"id": str(at), "prompt": f"Make coffee {at}", "should_trigger": True} for at in range(cases)])
    return workspace


def test_many_paid_samples_need_leave(tmp_path: Path) -> None:
    workspace = paid(tmp_path, 17)
    report = asked(workspace, "family-overlap")
    assert (report["exit_code"], report["error"]["code"], workspace.lines()) == (3, "not-confirmed", [])
    assert "54 paid calls" in report["error"]["message"]


def test_a_used_up_budget_leaves_the_rest_to_the_next_run(tmp_path: Path) -> None:
    workspace = paid(tmp_path, 1)
    part = asked(workspace, "family-overlap", "--max-calls", "2")
    assert (part["exit_code"], part["spend"]["agent_calls"], part["spend"]["missing"]) == (3, 2, 6)
    assert part["problems"] == ["the budget of this invocation is used up"]
    rest = asked(workspace, "family-overlap")
    assert (rest["exit_code"], rest["spend"]["agent_calls"]) == (0, 4)
    assert rest["spend"]["price"] == "4 paid calls, about 2.00 USD"


def test_a_prompt_that_both_claim_is_contested_whoever_is_activated(cafe: Workspace) -> None:
    cafe.evals("bake", [{"id": "mine", "prompt": "strong  TEA, please", "should_trigger": True}])
    report = asked(cafe, "family-overlap", "bake", "buffet", "--min-shared", "1")
    (overlap,) = report["overlaps"]
    assert [(each["owner"], each["case"], each["share"], each["claimed_by_both"]) for each in overlap["prompts"]] == [
        ("bake", "mine", 1.0, True),
        ("buffet", "tea", 0.0, True),
    ]


def test_skills_that_overlaps_link_are_a_candidate_for_one_skill(cafe: Workspace) -> None:
    cafe.evals("bake", [{"id": "mine", "prompt": "Strong tea, please", "should_trigger": True}])
    report = asked(cafe, "family-overlap", "--min-shared", "1", "--parent-skill", "cafe")
    assert report["consolidation_candidates"] == [{"parent_skill": "cafe", "members": ["bake", "brew", "buffet"]}]


def test_a_skill_that_claims_no_prompt_is_named(cafe: Workspace) -> None:
    cafe.evals("bake", [{"id": "cup", "prompt": "One espresso, fast", "should_trigger": False}])
    assert asked(cafe, "family-overlap")["skills_without_prompts"] == ["bake"]


def test_a_sibling_that_takes_a_skills_prompts_is_a_conflict_with_their_names(cafe: Workspace) -> None:
    report = asked(cafe, "composability", "--skill", "brew")
    found = {each["sibling"]: each for each in report["siblings"]}
    assert (found["bake"]["verdict"], found["buffet"]["verdict"]) == ("none-seen", "suspected")
    changed = [(each["case"], each["alone"], each["beside"], each["sibling_used"]) for each in found["buffet"]["cases"]]
    assert changed == [("black", 1.0, 0.0, 1.0), ("latte", 1.0, 0.0, 1.0), ("song", 1.0, 1.0, 0.0)]


def test_enough_cases_that_do_worse_show_a_conflict(cafe: Workspace) -> None:
    cafe.evals("brew", [{"id": str(at), "prompt": f"Coffee with milk, cup {at}", "should_trigger": True} for at in range(6)])
    (found,) = asked(cafe, "composability", "buffet", "--skill", "brew")["siblings"]
    assert (found["verdict"], found["difference"]) == ("conflict", -1.0)
    assert found["high"] < 0


def test_the_more_siblings_are_looked_at_the_more_a_conflict_takes(cafe: Workspace) -> None:
    cafe.evals("brew", [{"id": str(at), "prompt": f"Coffee with milk, cup {at}", "should_trigger": True} for at in range(5)])
    verdicts = {each["sibling"]: each["verdict"] for each in asked(cafe, "composability", "--skill", "brew")["siblings"]}
    assert verdicts == {"bake": "none-seen", "buffet": "suspected"}
    (alone,) = asked(cafe, "composability", "buffet", "--skill", "brew")["siblings"]
    assert alone["verdict"] == "conflict"


def test_composability_in_text_names_the_prompts(cafe: Workspace) -> None:
    _, stdout, _ = cafe.selftune("eval", "composability", "--skill-path", "brew", "-C", str(cafe.root))
    assert "  bake: no conflict seen; change +0.00, between " in stdout
    assert "    worse [black] 100% to 0%, buffet was used in 100%: Make strong coffee" in stdout.splitlines()


def test_alone_and_beside_share_their_samples_with_builds_of_the_same_company(cafe: Workspace) -> None:
    manifest = json.loads(cafe.read("selftune.yaml"))
    cafe.write("selftune.yaml", json.dumps({**manifest, "defaults": {**manifest["defaults"], "competitors": "none"}}))
    cafe.build("brew:replay")
    before = len(cafe.lines())
    assert asked(cafe, "composability", "bake", "--skill", "brew")["spend"]["agent_calls"] == 3
    assert [sorted(call["shown"]) for call in cafe.lines()[before:]] == [["bake", "brew"]] * 3


def test_another_eval_set_can_be_replayed(cafe: Workspace) -> None:
    cafe.write("more.json", json.dumps([{"query": "Milk and sugar, please", "should_trigger": False}]))
    report = asked(cafe, "composability", "buffet", "--skill", "brew", "--eval-set", str(cafe.root / "more.json"))
    (found,) = report["siblings"]
    assert [(each["prompt"], each["alone"], each["beside"]) for each in found["cases"]] == [("Milk and sugar, please", 1.0, 1.0)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("family-overlap", "brew"), "a family has at least two skills"),
        (("family-overlap", "brew:replay", "bake"), "is a stage"),
        (("family-overlap", "brwe", "bake"), "brew"),
        (("composability",), "name it with --skill"),
        (("composability", "--skill", "brew", "brew"), "brew has no sibling here"),
        (("composability", "--skill", "brew", "--eval-set", "none.json"), "none.json cannot be read"),
        (("composability", "--skill", "brew", "--eval-set", "large.json"), "larger than"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_way_on(
    words: tuple[str, ...], said: str, cafe: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("large.json").write_bytes(b"[]".ljust(EVAL_FILE_BYTES + 1))
    report = asked(cafe, *words)
    assert report["exit_code"] == 2
    assert said in json.dumps(report)


def test_two_skills_of_one_name_cannot_be_staged_together(cafe: Workspace) -> None:
    cafe.write("brew2/SKILL.md", cafe.read("brew/SKILL.md"))
    report = asked(cafe, "family-overlap")
    assert report["exit_code"] == 2
    assert "both called brew" in json.dumps(report)
