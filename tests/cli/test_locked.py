"""`selftune build --locked`: every code that it can say, provoked by what people really do to trees and locks."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.repository import git
from tests.property.kitchen import BREW, kitchen, manifest
from tests.property.workspace import CHECKOUT, Built, Workspace
from tests.unit.lock.locks import written

SCHEMA: dict[str, Any] = json.loads((CHECKOUT / "schemas/selftune-report-1.json").read_text())


def locked(workspace: Workspace, *arguments: str) -> Built:
    """The report of `--locked`, which satisfies its schema and asked nobody."""
    checked = workspace.build("--locked", *arguments)
    jsonschema.validate(checked.report, SCHEMA)
    assert (checked.report["exit_code"], checked.report["mode"]) == (checked.status, "locked")
    assert (checked.calls, checked.report["spend"]["agent_calls"]) == ([], 0)
    return checked


def problems(checked: Built) -> set[tuple[str, str]]:
    """Code and target of every problem."""
    return {(problem["code"], problem["target"]) for package in checked.report["packages"] for problem in package["problems"]}


def codes(checked: Built) -> set[str]:
    """Every code that was said."""
    return {code for code, _ in problems(checked)}


def settings(workspace: Workspace, **defaults: Any) -> None:
    """Change what the workspace manifest says of every package."""
    document = manifest()
    document["defaults"].update(defaults)
    workspace.write("selftune.yaml", json.dumps(document))


def scripted(workspace: Workspace, says: str = "poured") -> None:
    """Give brew a script, and a unit test that holds where the script says `poured`."""
    workspace.write("brew/scripts/pour.py", f"print('{says}')\n")
    case = {"id": "pours", "run": ["python3", "scripts/pour.py"], "checks": [{"contains": "poured"}]}
    workspace.write("brew/tests/unit.yaml", json.dumps({"format": "selftune.unit-tests/1", "cases": [case]}))


def relocked(workspace: Workspace, change: Callable[[dict[str, Any]], object], *, seals: bool = True) -> None:
    """Change brew's lock and write it canonically; with seals that hold, as a forger would."""
    document = json.loads(workspace.lock("brew"))
    change(document)
    workspace.lock_path("brew").write_bytes(written(document, seals=seals))


def house(document: dict[str, Any]) -> dict[str, Any]:
    """The entry of the only agent."""
    entry: dict[str, Any] = document["agents"]["house"]
    return entry


# What holds


def test_a_workspace_as_it_was_built_is_verified(built: Workspace) -> None:
    checked = locked(built)
    assert (checked.status, checked.report["verdict"], problems(checked)) == (0, "pass", set())
    assert set(checked.states.values()) == {"up-to-date"}


def test_metrics_gates_and_verdicts_are_those_of_the_build(built: Workspace) -> None:
    for there, here in zip(built.build().report["packages"], locked(built).report["packages"], strict=True):
        assert {name: there[name] for name in ("metrics", "gates", "verdict")} == {
            name: here[name] for name in ("metrics", "gates", "verdict")
        }


def test_one_stage_or_one_case_is_judged_on_its_own(built: Workspace) -> None:
    built.edit("brew/references/milk.md", "Steam", "Warm")
    assert problems(locked(built, "brew:replay[black]")) == set()
    assert problems(locked(built, "brew:replay")) == {("key-changed", "brew:replay[latte]")}
    assert locked(built, "brew:baseline").status == 0
    assert locked(built, "bake").status == 0


# Each code


def lock_missing(workspace: Workspace) -> None:
    workspace.lock_path("brew").unlink()


def lock_malformed(workspace: Workspace) -> None:
    workspace.lock_path("brew").write_bytes(workspace.lock("brew").replace(b"\n", b"\r\n"))


def lock_is_a_link(workspace: Workspace) -> None:
    workspace.lock_path("brew").rename(workspace.root / "elsewhere")
    workspace.lock_path("brew").symlink_to(workspace.root / "elsewhere")


def lock_is_a_folder(workspace: Workspace) -> None:
    workspace.lock_path("brew").unlink()
    workspace.lock_path("brew").mkdir()


def lock_is_not_even_close(workspace: Workspace) -> None:
    workspace.lock_path("brew").write_bytes(b"[" * 100_000)


def lock_from_the_future(workspace: Workspace) -> None:
    relocked(workspace, lambda lock: lock.update(version=2))


def a_count_edited(workspace: Workspace) -> None:
    relocked(workspace, lambda lock: house(lock)["cases"]["black"]["without_skill"].update(passed=1), seals=False)


def the_tree_digest_edited(workspace: Workspace) -> None:
    relocked(workspace, lambda lock: lock["package"].update(tree="sha256:" + "0" * 64), seals=False)


def a_verdict_edited(workspace: Workspace) -> None:
    relocked(workspace, lambda lock: house(lock)["gates"].update(lift="pass"))


def lock_of_another_package(workspace: Workspace) -> None:
    workspace.lock_path("brew").write_bytes(workspace.lock("bake"))


def an_identity_edited(workspace: Workspace) -> None:
    relocked(workspace, lambda lock: house(lock)["identity"].update(cache_version="2"), seals=False)


def white_space_only(workspace: Workspace) -> None:
    workspace.edit("brew/SKILL.md", "Grind the beans.\n", "Grind the beans. \t\n")


def a_file_nobody_reads(workspace: Workspace) -> None:
    workspace.write("brew/references/unread.md", "Nobody looks here.\n")


def a_case_more(workspace: Workspace) -> None:
    workspace.evals("brew", [*BREW, {"id": "mocha", "prompt": "Make a mocha", "should_trigger": True}])


def a_case_less(workspace: Workspace) -> None:
    workspace.evals("brew", BREW[:-1])


def another_check(workspace: Workspace) -> None:
    workspace.edit("brew/evals/evals.yaml", "Steam", "Warm")


def other_gates(workspace: Workspace) -> None:
    settings(workspace, gates={"trigger-recall": {"min": 0.0}})


def another_program(workspace: Workspace) -> None:
    workspace.write("tools/agent.py", workspace.read("tools/agent.py") + "# newer\n")


def another_model(workspace: Workspace) -> None:
    settings(workspace, model="large")


def another_origin(workspace: Workspace) -> None:
    workspace.write("selftune.yaml", json.dumps(manifest(origin="live")))


def another_agent(workspace: Workspace) -> None:
    settings(workspace, agent="embedded")


def an_agent_of_a_plugin_that_is_not_here(workspace: Workspace) -> None:
    settings(workspace, agent="somebody")


TREE = ("tree-changed", "brew")
EDITS: list[tuple[Callable[[Workspace], None], set[tuple[str, str]]]] = [
    (lock_missing, {("lock-missing", "brew")}),
    (lock_malformed, {("lock-malformed", "brew")}),
    (lock_is_a_link, {("lock-malformed", "brew")}),
    (lock_is_a_folder, {("lock-malformed", "brew")}),
    (lock_is_not_even_close, {("lock-malformed", "brew")}),
    (lock_from_the_future, {("lock-from-the-future", "brew")}),
    (a_count_edited, {("lock-tampered", "brew:baseline[black]")}),
    (the_tree_digest_edited, {("lock-tampered", "brew"), TREE}),
    (a_verdict_edited, {("lock-tampered", "brew")}),
    (lock_of_another_package, {("lock-tampered", "brew")}),
    (an_identity_edited, {("lock-tampered", "brew")}),
    (white_space_only, {TREE}),
    (a_file_nobody_reads, {TREE}),
    (a_case_more, {TREE, ("case-missing", "brew:replay[mocha]")}),
    (a_case_less, {TREE, ("case-extra", "brew:replay[song]")}),
    (another_check, {TREE, ("key-changed", "brew:replay[latte]"), ("key-changed", "brew:baseline[latte]")}),
    (other_gates, {("policy-changed", "brew")}),
    (another_program, {("agent-changed", "brew")}),
    (another_model, {("agent-changed", "brew")}),
    (another_origin, {("agent-changed", "brew")}),
    (another_agent, {("agent-changed", "brew")}),
    (an_agent_of_a_plugin_that_is_not_here, {("agent-changed", "brew")}),
]


@pytest.mark.parametrize(("edit", "expected"), EDITS, ids=[edit.__name__ for edit, _ in EDITS])
def test_what_does_not_belong_together_is_refused_with_its_code(
    built: Workspace, edit: Callable[[Workspace], None], expected: set[tuple[str, str]]
) -> None:
    edit(built)
    checked = locked(built, "brew")
    assert problems(checked) == expected
    assert (checked.status, checked.report["verdict"]) == (1, "fail")
    build = shlex.join(["selftune", "build", "brew", "-C", str(built.root)])
    remedy = "use the release of selftune-build that wrote it" if edit is lock_from_the_future else build
    assert all(problem["fix"] == remedy for problem in checked.package("brew")["problems"])


def test_an_edited_body_names_the_cases_that_read_it_and_where_they_stand(noted: Workspace) -> None:
    noted.edit("brew/SKILL.md", "Grind the beans.", "Grind them.")
    checked = locked(noted)
    assert problems(checked) == {
        TREE,
        *(("key-changed", f"{row}") for row in ("brew:replay[black]", "brew:replay[latte]", "bake:replay[cup]")),
    }
    (black,) = (each for each in checked.package("brew")["problems"] if each["target"] == "brew:replay[black]")
    assert black["message"] == "with_skill: the case, what it observed (brew:body) or how it is judged is not what was measured"
    assert (black["path"], black["line"]) == ("brew/evals/evals.yaml", 4)


def test_too_few_samples_are_named_as_such(tmp_path: Path) -> None:
    workspace = kitchen(tmp_path / "workspace", tmp_path / "ledger", deterministic=False)
    assert workspace.build().status == 0
    document = manifest(deterministic=False)
    document["defaults"]["samples"] = {"min": 4}
    workspace.write("selftune.yaml", json.dumps(document))
    checked = locked(workspace, "bake")
    assert problems(checked) == {
        ("policy-changed", "bake"),
        *(("n-too-small", f"bake:{row}") for row in ("replay[loaf]", "replay[cup]", "baseline[loaf]")),
    }
    assert "the lock has 3 of 4 samples" in checked.package("bake")["problems"][-1]["message"]


def test_a_gate_that_says_no_is_a_problem_also_where_lock_and_tree_belong_together(built: Workspace) -> None:
    scripted(built, says="spilt")
    assert built.build().status == 1
    checked = locked(built)
    assert (checked.status, problems(checked)) == (1, {("gate-failed", "brew")})
    assert "unit-tests" in checked.package("brew")["problems"][0]["message"]
    assert checked.package("brew")["next_command"] == f"selftune show 'brew:unit-tests[pours]' -C {built.root}"
    assert problems(locked(built, "brew:unit-tests")) == {("gate-failed", "brew")}
    assert locked(built, "brew:replay").status == 0


def test_evidence_of_an_origin_that_the_policy_excludes_is_refused(built: Workspace) -> None:
    settings(built, policy={"origins": ["live"]})
    refused = built.build()
    assert (refused.status, refused.report["verdict"]) == (1, "fail")
    assert {package["verdict"] for package in refused.report["packages"]} == {"fail"}
    checked = locked(built)
    assert problems(checked) == {("evidence-simulated", "bake"), ("evidence-simulated", "brew")}
    assert checked.report["verdict"] == "fail"


def test_a_gate_that_no_plugin_supplies_leaves_the_package_undecided(built: Workspace) -> None:
    settings(built, gates={**manifest()["defaults"]["gates"], "house-style": {}})
    assert built.build().status == 3
    checked = locked(built)
    assert (checked.status, problems(checked)) == (3, {("plugin-missing", "bake"), ("plugin-missing", "brew")})


def test_a_suite_too_small_for_its_gates_is_inconclusive(built: Workspace) -> None:
    settings(built, gates={})
    assert built.build().status == 3
    checked = locked(built)
    assert (checked.status, checked.report["verdict"], problems(checked)) == (3, "inconclusive", set())


def test_a_broken_manifest_is_bad_input_and_the_other_packages_are_judged(built: Workspace) -> None:
    built.write("bake/selftune.yaml", "version: 1\nsampels: {min: 3}\n")
    built.edit("brew/SKILL.md", "Grind the beans.", "Grind them.")
    checked = locked(built)
    assert checked.status == 2
    assert {"bad-input", "tree-changed", "key-changed"} == codes(checked)


@pytest.mark.parametrize("flag", [["--dry-run"], ["--failed"], ["--resample", "1"]])
def test_what_would_run_something_does_not_go_with_it(built: Workspace, flag: list[str]) -> None:
    status, _, stderr = built.selftune("build", "--locked", *flag, "-C", str(built.root))
    assert (status, "--locked runs nothing" in stderr) == (2, True)


# Locks of more than one agent, of a merge, of a newer release, of a forger


def test_each_agent_of_the_manifest_is_judged_by_its_own_rows(fresh: Workspace) -> None:
    document = manifest()
    agents = document["defaults"]["agents"]
    agents["guest"] = {**agents["house"], "cache_version": "2"}
    document["defaults"]["agent"] = ["house", "guest"]
    fresh.write("selftune.yaml", json.dumps(document))
    assert fresh.build().status == 0
    assert locked(fresh).status == 0
    relocked(fresh, lambda lock: lock["agents"]["guest"]["cases"]["song"]["with_skill"].update(triggered=1), seals=False)
    checked = locked(fresh)
    assert {(package["agent"], package["verdict"]) for package in checked.report["packages"] if package["name"] == "brew"} == {
        ("house", "pass"),
        ("guest", "fail"),
    }
    assert problems(checked) == {("lock-tampered", "brew:replay[song]")}
    assert problems(locked(fresh, "brew", "--agent", "house")) == problems(checked)
    agents["guest"]["cache_version"] = "3"
    fresh.write("selftune.yaml", json.dumps(document))
    agents_changed = [package["agent"] for package in locked(fresh, "bake").report["packages"] if package["verdict"] == "fail"]
    assert agents_changed == ["guest"]


def test_a_merge_that_git_could_not_finish_is_refused_and_heals_without_a_call(built: Workspace) -> None:
    git(built.root, "init", "-q")
    git(built.root, "add", "-A")
    git(built.root, "commit", "-qm", "base")
    git(built.root, "checkout", "-qb", "topic")
    built.edit("brew/references/milk.md", "Steam", "Steam and pour")
    built.build()
    git(built.root, "commit", "-qam", "milk")
    git(built.root, "checkout", "-q", "main")
    built.edit("brew/evals/evals.yaml", "Sing a lullaby", "Hum a lullaby")
    built.build()
    git(built.root, "commit", "-qam", "song")
    git(built.root, "merge", "-q", "topic", status=1)
    assert b"<<<<<<<" in built.lock("brew")
    checked = locked(built)
    assert (checked.status, ("lock-conflict", "brew") in problems(checked)) == (1, True)
    shutil.rmtree(built.root / ".selftune")
    healed = built.build()
    assert (healed.status, healed.calls) == (0, [])
    assert locked(built).status == 0


def test_a_build_refuses_to_write_over_a_lock_of_a_newer_version(built: Workspace) -> None:
    lock_from_the_future(built)
    before = built.lock("brew")
    status, stdout, _ = built.selftune("build", "--json", "-C", str(built.root))
    assert (status, json.loads(stdout)["error"]["code"], json.loads(stdout)["error"]["path"]) == (
        2,
        "lock-from-the-future",
        "brew/selftune.lock",
    )
    assert built.lock("brew") == before


def test_what_a_newer_revision_wrote_survives_a_build_and_is_no_problem(built: Workspace) -> None:
    def later(lock: dict[str, Any]) -> None:
        lock["revision"] = 4
        for place in (lock, lock["package"], house(lock), house(lock)["cases"]["song"]["with_skill"]):
            place["later"] = ["unknown", 1]

    relocked(built, later)
    before = built.lock("brew")
    assert locked(built).status == 0
    assert built.build().calls == []
    assert built.lock("brew") == before
    built.edit("brew/references/milk.md", "Steam", "Steam and pour")
    assert built.build().status == 0
    after = json.loads(built.lock("brew"))
    places = (after, after["package"], house(after), house(after)["cases"]["song"]["with_skill"])
    assert [place["later"] for place in places] == [["unknown", 1]] * 4
    assert after["revision"] == 4


def test_a_lock_says_that_evidence_and_text_belong_together_and_not_that_the_runs_took_place(built: Workspace) -> None:
    scripted(built, says="spilt")
    built.build()
    relocked(built, lambda lock: house(lock)["cases"]["pours"]["script"].update(passed=1))
    assert problems(locked(built)) == {("lock-tampered", "brew")}  # the verdict below `gates` was forgotten
    relocked(built, lambda lock: house(lock)["gates"].update({"unit-tests": "pass"}))
    assert locked(built).status == 0


@pytest.mark.parametrize(
    "forge",
    [
        lambda lock: house(lock).update(origin="dreamed"),
        lambda lock: house(lock)["cases"]["black"]["with_skill"].update(n=10**400),
        lambda lock: house(lock)["cases"]["black"]["with_skill"].update(observed=["\x1b[2J", "brew:file:../../etc/passwd"]),
        lambda lock: house(lock)["cases"].update({"\x1b]0;x\x07[a]": house(lock)["cases"]["song"]}),
        lambda lock: house(lock).update(identity={}),
        lambda lock: house(lock)["identity"].update(deterministic="yes", plugin=[1], argv={"a": None}),
        lambda lock: house(lock).update(cases={}, gates={}),
        lambda lock: lock.update(agents={}),
        lambda lock: house(lock)["gates"].update(lift="perhaps"),
        lambda lock: lock["package"].update(name="../brew"),
        lambda lock: lock.update(policy="\u202e"),
    ],
)
def test_a_forged_lock_is_refused_without_a_traceback_and_shown_without_its_control_characters(
    built: Workspace, forge: Callable[[dict[str, Any]], object]
) -> None:
    relocked(built, forge)
    assert locked(built).status == 1
    status, stdout, stderr = built.selftune("build", "--locked", "-C", str(built.root))
    assert (status, stderr) == (1, "")
    assert [line for line in stdout.splitlines() if not line.isprintable()] == []


def test_many_cases_with_one_cause_are_told_in_a_few_lines(built: Workspace) -> None:
    cases = [{"id": f"case {number}", "prompt": f"Make coffee {number}", "should_trigger": True} for number in range(60)]
    built.evals("brew", cases)
    built.build()
    built.edit("brew/SKILL.md", "Makes coffee", "Makes good coffee")
    _, stdout, _ = built.selftune("build", "brew", "--locked", "-C", str(built.root))
    assert "key-changed: 60 cases of brew:replay: case 0, case 1, case 2, case 3, case 4 and 55 more" in stdout.replace(
        "\n  ", " "
    )
    assert len(stdout.splitlines()) < 40
