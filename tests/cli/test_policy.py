"""`--locked --policy`: what is judged does not choose what it is judged by."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.repository import committed, git
from tests.property.kitchen import ANY_RATE, BREW, manifest
from tests.property.workspace import Built, Workspace

FIX = "undo it, or let somebody who may decide merge it in a change of its own"


@pytest.fixture
def kept(built: Workspace) -> Workspace:
    """The kitchen in a repository, on a branch of its own; `main` is what it was judged by."""
    committed(built.root)
    git(built.root, "checkout", "-qb", "topic")
    return built


def judged(workspace: Workspace, *arguments: str, policy: str = "main") -> Built:
    """`--locked --policy`, which asks nobody."""
    checked = workspace.build("--locked", "--policy", policy, *arguments)
    assert checked.calls == []
    return checked


def told(checked: Built, name: str = "brew") -> list[tuple[str, str, str]]:
    """Code, target and message of every problem of a package, without what it was compared with."""
    found = checked.package(name)["problems"]
    return [(each["code"], each["target"], each["message"].removesuffix(" (compared with main)")) for each in found]


def notes(checked: Built, name: str = "brew") -> list[str]:
    """What is told of the policy and decides nothing."""
    found = [each for each in checked.package(name)["findings"] if each["code"] == "policy-changed"]
    assert {each["severity"] for each in found} <= {"note", "warning"}
    return [each["message"].removesuffix(" (compared with main)") for each in found]


def settings(workspace: Workspace, **defaults: Any) -> None:
    """Change what the workspace manifest says of every package, and build: the lock belongs to it."""
    document = manifest()
    document["defaults"].update(defaults)
    workspace.write("selftune.yaml", json.dumps(document))
    workspace.build()


def own(workspace: Workspace, **fields: Any) -> None:
    """Give brew a manifest of its own, and build."""
    workspace.write("brew/selftune.yaml", json.dumps({"version": 1, **fields}))
    workspace.build()


def test_an_untouched_copy_is_verified(kept: Workspace) -> None:
    checked = judged(kept)
    assert (checked.status, told(checked), notes(checked)) == (0, [], [])


def test_an_edit_of_the_skill_with_its_evidence_is_verified(kept: Workspace) -> None:
    kept.edit("brew/references/milk.md", "Steam", "Steam and pour")
    kept.build()
    checked = judged(kept)
    assert (checked.status, told(checked), notes(checked)) == (0, [], [])


HOUSE = manifest()["defaults"]["agents"]["house"]
LOOSE: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (
        {"gates": {**ANY_RATE, "lift": {"min": 0.5, "required": False}}},
        {"gates": {**ANY_RATE, "lift": {"min": 0.25, "required": False}}},
        "the gate lift asks for 0.25 instead of 0.5",
    ),
    (
        {"gates": {**ANY_RATE, "unit-tests": {}}},
        {"gates": {**ANY_RATE, "unit-tests": {"required": False}}},
        "the gate unit-tests is not required",
    ),
    (
        {},
        {"gates": {**ANY_RATE, "trigger-recall": {"enabled": False, "reason": "slow"}}},
        "the gate trigger-recall is turned off",
    ),
    (
        {},
        {"gates": {name: ANY_RATE[name] for name in ("trigger-recall", "trigger-specificity")}},
        "the gate task-pass-rate is named no more, so it decides only where a case measures it",
    ),
    (
        {"gates": {**ANY_RATE, "spec": {"profile": "strict"}}},
        {"gates": {**ANY_RATE, "spec": {}}},
        "the gate spec has the profile hosts",
    ),
    ({"samples": {"min": 4}}, {}, "a case needs 3 samples instead of 4"),
    ({}, {"samples": {"confidence": 0.9}}, "gates decide at a confidence of 0.9 instead of 0.95"),
    ({"policy": {"origins": ["simulated"]}}, {}, "evidence may be of any origin"),
    (
        {"policy": {"origins": ["simulated"]}},
        {"policy": {"origins": ["simulated", "live"]}},
        "evidence may be simulated or live",
    ),
    ({}, {"limits": {"timeout_s": 300}}, "a sample may take 300 s instead of 120 s"),
    ({}, {"limits": {"max_turns": 50}}, "a sample may take 50 turns instead of 10"),
    ({}, {"agent": "embedded"}, "the agent is embedded instead of house"),
    ({}, {"model": "large"}, "the model is large instead of the default of the agent"),
    ({}, {"agents": {"house": {**HOUSE, "origin": "live"}}}, "the agent house is declared with another origin"),
    ({}, {"competitors": "none"}, "the skills that are staged beside this one are others"),
    ({}, {"exclude": ["references/water.md"]}, "`exclude` leaves out 'references/water.md'"),
]


@pytest.mark.parametrize(("before", "after", "message"), LOOSE, ids=[message for *_, message in LOOSE])
def test_what_loosens_is_a_problem(built: Workspace, before: dict[str, Any], after: dict[str, Any], message: str) -> None:
    if before:
        settings(built, **before)
    committed(built.root)
    git(built.root, "checkout", "-qb", "topic")
    settings(built, **after)
    checked = judged(built)
    assert ("policy-changed", "brew", message) in told(checked)
    assert (checked.status, checked.package("brew")["verdict"]) == (1, "fail")
    assert {each["fix"] for each in checked.package("brew")["problems"] if each["code"] == "policy-changed"} == {FIX}


@pytest.mark.parametrize(
    ("after", "message"),
    [
        ({"samples": {"min": 4}}, "a case needs 4 samples instead of 3"),
        ({"samples": {"confidence": 0.99}}, "gates decide at a confidence of 0.99 instead of 0.95"),
        ({"policy": {"origins": ["simulated"]}}, "evidence may be simulated"),
        ({"gates": {**ANY_RATE, "trigger-recall": {"min": 0.1}}}, "the gate trigger-recall asks for 0.1 instead of 0"),
    ],
)
def test_what_tightens_is_told_and_decides_nothing(kept: Workspace, after: dict[str, Any], message: str) -> None:
    settings(kept, **after)
    checked = judged(kept)
    assert (checked.status, told(checked), notes(checked)) == (0, [], [f"brew: {message}"])


def test_a_package_that_passes_by_its_own_gates_fails_by_those_that_rule(built: Workspace) -> None:
    built.write("brew/scripts/pour.py", "print('spilt')\n")
    case = {"id": "pours", "run": ["python3", "scripts/pour.py"], "checks": [{"contains": "poured"}]}
    built.write("brew/tests/unit.yaml", json.dumps({"format": "selftune.unit-tests/1", "cases": [case]}))
    committed(built.root)
    git(built.root, "checkout", "-qb", "topic")
    own(built, gates={"unit-tests": {"enabled": False, "reason": "it fails"}})
    assert built.build("--locked").status == 0
    checked = judged(built)
    assert [(code, message.split(":")[0]) for code, _, message in told(checked)] == [
        ("gate-failed", "unit-tests"),
        ("policy-changed", "the gate unit-tests is turned off"),
    ]


def test_samples_that_suffice_by_its_own_policy_are_too_few_by_the_one_that_rules(tmp_path: Path) -> None:
    from tests.property.kitchen import kitchen

    workspace = kitchen(tmp_path / "workspace", tmp_path / "ledger", deterministic=False)
    committed(workspace.root)
    own(workspace, samples={"min": 1})
    assert workspace.build("--locked", "brew").status == 0
    codes = {code for code, *_ in told(judged(workspace, "brew"))}
    assert codes == {"n-too-small", "policy-changed"}


def other_prompt(workspace: Workspace) -> None:
    workspace.edit("brew/evals/evals.yaml", "Sing a lullaby", "Hum a lullaby")


def other_polarity(workspace: Workspace) -> None:
    workspace.evals("brew", [*BREW[:2], {**BREW[2], "should_trigger": True}])


def other_check(workspace: Workspace) -> None:
    workspace.edit("brew/evals/evals.yaml", "Grind the beans", "Grind")


def gone(workspace: Workspace) -> None:
    workspace.evals("brew", BREW[1:])


def all_gone(workspace: Workspace) -> None:
    own(workspace, evals=["evals/*.json"])


EVALS: list[tuple[Callable[[Workspace], None], str, str]] = [
    (other_prompt, "brew:replay[song]", "the case has another prompt"),
    (other_polarity, "brew:replay[song]", "the case has another polarity"),
    (other_check, "brew:replay[black]", "the case has another judgement"),
    (gone, "brew:replay[black]", "the case is gone"),
    (all_gone, "brew:replay[latte]", "the case is gone"),
]


@pytest.mark.parametrize(("edit", "target", "message"), EVALS, ids=[edit.__name__ for edit, *_ in EVALS])
def test_evals_that_change_with_the_skill_are_a_problem_and_alone_are_told(
    kept: Workspace, edit: Callable[[Workspace], None], target: str, message: str
) -> None:
    edit(kept)
    kept.build()
    alone = judged(kept)
    assert (told(alone), f"{target}: {message}" in notes(alone)) == ([], True)
    kept.edit("brew/references/water.md", "Filter", "Boil")
    kept.build()
    together = judged(kept)
    assert ("policy-changed", target, f"{message} in the change that edits the skill") in told(together)
    assert together.status == 1


def test_a_case_that_is_new_or_only_has_another_name_is_no_change(kept: Workspace) -> None:
    black, *others = BREW
    kept.evals("brew", [{**black, "id": "strong"}, *others, {"id": "more", "prompt": "Make a mocha", "should_trigger": True}])
    kept.edit("brew/references/water.md", "Filter", "Boil")
    kept.build()
    checked = judged(kept)
    assert (checked.status, told(checked), notes(checked)) == (0, [], [])


def test_the_program_that_judges_a_case_is_part_of_it(built: Workspace) -> None:
    built.write("brew/graders/grade.py", "raise SystemExit(1)\n")
    graded = {**BREW[0], "checks": [{"command": {"run": ["python3", "graders/grade.py"]}}]}
    built.evals("brew", [graded, *BREW[1:]])
    built.build()
    committed(built.root)
    git(built.root, "checkout", "-qb", "topic")
    built.write("brew/graders/grade.py", "raise SystemExit(0)\n")
    built.build()
    message = "the program that judges the case is another in the change that edits the skill"
    assert ("policy-changed", "brew:replay[black]", message) in told(judged(built))


def test_the_program_of_an_agent_is_part_of_the_policy(kept: Workspace) -> None:
    kept.write("tools/agent.py", kept.read("tools/agent.py") + "# says yes\n")
    kept.build()
    checked = judged(kept)
    assert told(checked) == [("policy-changed", "brew", "the program of an agent is another: tools/agent.py")]


def test_a_new_package_is_judged_by_what_the_revision_says_of_all(kept: Workspace) -> None:
    kept.skill("bottle", "Bottles lemonade.", "Rinse the bottle.")
    fizz = {"id": "fizz", "prompt": "Bottle some lemonade", "should_trigger": True, "checks": [{"contains": "Rinse"}]}
    kept.evals("bottle", [fizz, BREW[2]])
    kept.write("bottle/selftune.yaml", json.dumps({"version": 1, "gates": {"task-pass-rate": {"enabled": False, "reason": "x"}}}))
    kept.build()
    checked = judged(kept)
    assert (checked.status, told(checked, "bottle")) == (0, [])
    assert notes(checked, "bottle") == ["main does not know this package: it is judged by what the workspace says there of all"]
    ids = {gate["id"] for gate in checked.package("bottle")["gates"]}
    assert "task-pass-rate" in ids


def test_a_package_that_the_workspace_no_longer_names_is_refused_and_one_that_is_gone_is_not(kept: Workspace) -> None:
    document = manifest()
    document["workspace"]["members"] = ["bake"]
    kept.write("selftune.yaml", json.dumps(document))
    kept.build()
    checked = judged(kept)
    assert checked.status == 1
    assert told(checked) == [
        ("policy-changed", "brew", "main verifies this package, and the workspace does not name it any more")
    ]
    git(kept.root, "rm", "-rqf", "brew")
    kept.build()
    assert judged(kept).status == 0


def test_a_package_that_was_moved_is_compared_with_what_it_was(kept: Workspace) -> None:
    document = manifest()
    document["workspace"]["members"] = ["b*", "more/*"]
    kept.write("selftune.yaml", json.dumps(document))
    committed(kept.root)
    git(kept.root, "branch", "-qf", "main")
    (kept.root / "more").mkdir()
    (kept.root / "brew").rename(kept.root / "more/brew")
    kept.write("more/brew/selftune.yaml", json.dumps({"version": 1, "gates": {"lift": {"enabled": False, "reason": "x"}}}))
    kept.write("more/brew/evals/evals.yaml", kept.read("more/brew/evals/evals.yaml").replace("Sing a lullaby", "Hum a lullaby"))
    kept.build()
    checked = judged(kept)
    assert {message for _, _, message in told(checked)} == {
        "the gate lift is turned off",
        "the case has another prompt in the change that edits the skill",
    }


def test_another_workspace_around_the_packages_does_not_bring_its_own_policy(built: Workspace) -> None:
    """A manifest with `workspace:` further down would be the nearest one."""
    settings(built, policy={"origins": ["live"]})
    committed(built.root)
    git(built.root, "checkout", "-qb", "topic")
    (built.root / "skills").mkdir()
    for name in ("brew", "bake", "tools"):
        (built.root / name).rename(built.root / "skills" / name)
    built.write("skills/selftune.yaml", json.dumps(manifest()))
    built.selftune("build", "-C", str(built.root / "skills"))
    status, _, _ = built.selftune("build", "--locked", "-C", str(built.root / "skills"))
    assert status == 0
    status, stdout, _ = built.selftune("build", "--locked", "--policy", "main", "--json", "-C", str(built.root / "skills"))
    codes = {problem["code"] for package in json.loads(stdout)["packages"] for problem in package["problems"]}
    assert (status, codes) == (1, {"evidence-simulated"})


def test_what_main_tightened_meanwhile_rules_and_is_not_held_against_the_change(kept: Workspace) -> None:
    git(kept.root, "checkout", "-q", "main")
    settings(kept, policy={"origins": ["live"]})
    committed(kept.root, "only live evidence")
    git(kept.root, "checkout", "-q", "topic")
    checked = judged(kept)
    assert [code for code, *_ in told(checked)] == ["evidence-simulated"]


# Which file, which revision


def test_a_file_outside_of_the_workspace_rules(built: Workspace, tmp_path: Path) -> None:
    (tmp_path / "house.yaml").write_text("version: 1\npolicy: {origins: [live]}\n")
    for word in (str(tmp_path / "house.yaml"), "../house.yaml"):
        assert [code for code, *_ in told(judged(built, policy=word))] == ["evidence-simulated"]
    (tmp_path / "house.yaml").write_text("version: 1\nworkspace: {members: [x]}\ndefaults: {gates: {spec: {}}}\n")
    checked = judged(built, policy="../house.yaml")
    assert {gate["id"] for gate in checked.package("brew")["gates"] if gate["required"]} >= {"spec"}


def test_a_file_of_the_checkout_never_rules_also_not_under_the_name_of_a_revision(kept: Workspace) -> None:
    kept.write("origin/main", "version: 1\n")
    status, _, stderr = kept.selftune("build", "--locked", "--policy", "origin/main", "-C", str(kept.root))
    assert (status, "there is no revision" in stderr) == (2, True)
    (kept.root / "link.yaml").symlink_to("/dev/null")
    for word in ("selftune.yaml", "./selftune.yaml", str(kept.root / "brew/selftune.yaml"), "link.yaml"):
        status, _, stderr = kept.selftune("build", "--locked", "--policy", word, "-C", str(kept.root))
        assert (status, "is part of what is judged" in stderr) == (2, True)


@pytest.mark.parametrize("word", ["/nowhere/x.yaml", "/dev/zero.yaml", "../", "mian", "--", "\x1b[2J"])
def test_a_policy_that_is_not_there_is_a_mistake_of_usage(kept: Workspace, word: str) -> None:
    status, _, stderr = kept.selftune("build", "--locked", f"--policy={word}", "-C", str(kept.root))
    assert (status, [line for line in stderr.splitlines() if not line.isprintable()]) == (2, [])


def test_history_that_is_missing_is_undecided_and_the_command_to_fetch_it_is_told(kept: Workspace, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth=1", "--single-branch", "--branch=topic", kept.root.as_uri(), str(tmp_path / "shallow"))
    for flag in ("--policy", "--since"):
        status, _, stderr = kept.selftune("build", "--locked", flag, "origin/main", "-C", str(tmp_path / "shallow"))
        assert (status, "fix: git fetch origin +refs/heads/main:refs/remotes/origin/main" in stderr) == (3, True)
        assert "Traceback" not in stderr


def test_a_policy_goes_with_locked_alone(kept: Workspace) -> None:
    status, _, stderr = kept.selftune("build", "--policy", "main", "-C", str(kept.root))
    assert (status, "--policy goes with --locked" in stderr) == (2, True)


def test_people_read_what_changed(kept: Workspace) -> None:
    settings(kept, limits={"max_turns": 50})
    status, stdout, _ = kept.selftune("build", "--locked", "--policy", "main", "-C", str(kept.root))
    assert (status, "a sample may take 50 turns instead of 10" in stdout.replace("\n  ", " ")) == (1, True)


def test_a_damaged_pack_is_told_in_one_sentence_or_does_not_matter(kept: Workspace) -> None:
    """Wherever it is damaged: at most one sentence, and nothing of the library that reads it."""
    git(kept.root, "gc", "-q", "--aggressive")
    (pack,) = (kept.root / ".git/objects/pack").glob("*.pack")
    pack.chmod(0o644)
    whole = pack.read_bytes()
    for every in (40, 100, 200, 300, 400):
        pack.write_bytes(bytes(byte ^ (0xFF if place % every == every - 1 else 0) for place, byte in enumerate(whole)))
        status, _, stderr = kept.selftune("build", "--locked", "--policy", "main", "-C", str(kept.root))
        assert status in (0, 1, 2, 3)
        assert [line.split()[0] for line in stderr.splitlines() if line] in ([], ["error:", "fix:"]), stderr
