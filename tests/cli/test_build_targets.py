"""What the words after `selftune build` ask for, and the exit status that the outcome leads to."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.property.kitchen import BREW, kitchen, manifest
from tests.property.workspace import Workspace

BLACK, LATTE, SONG = (case["prompt"] for case in BREW)
LOAF, CUP = "Knead some bread", "One espresso, fast"
ALL = [BLACK, BLACK, CUP, LATTE, LATTE, LOAF, LOAF, SONG]


@pytest.mark.parametrize(
    ("targets", "asked"),
    [
        ([], ALL),
        (["verify"], ALL),
        (["brew"], [BLACK, BLACK, LATTE, LATTE, SONG]),
        (["bake", "brew"], ALL),
        (["replay"], [BLACK, CUP, LATTE, LOAF, SONG]),
        (["baseline"], [BLACK, LATTE, LOAF]),
        (["replay", "brew"], [BLACK, LATTE, SONG]),
        (["brew:replay"], [BLACK, LATTE, SONG]),
        (["brew:replay[latte]"], [LATTE]),
        (["brew:replay[latte]", "brew:baseline[black]"], [BLACK, LATTE]),
        (["brew:replay[latte]", "bake:baseline"], [LATTE, LOAF]),
        (["spec"], []),
        (["brew:evals"], []),
        (["unit-tests"], []),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and not set(value) & set(ALL) else "",
)
def test_a_target_asks_for_exactly_what_it_needs(targets: list[str], asked: list[str], fresh: Workspace) -> None:
    assert fresh.build(*targets).prompts == sorted(asked)


def test_a_folder_stands_for_its_package_and_a_folder_above_for_all_below(fresh: Workspace) -> None:
    def prompts(target: str, directory: str) -> list[str]:
        before = len(fresh.lines())
        fresh.selftune("build", target, "-C", str(fresh.root / directory))
        return sorted(line["prompt"] for line in fresh.lines()[before:])

    assert prompts("./bake", ".") == sorted([LOAF, LOAF, CUP])
    assert prompts("../brew", "bake") == sorted([BLACK, BLACK, LATTE, LATTE, SONG])
    fresh.remove_store()
    for path in fresh.root.glob("*/selftune.lock"):
        path.unlink()
    assert prompts(".", ".") == sorted(ALL)


def test_a_case_id_with_brackets_is_addressed_by_the_outermost_ones(fresh: Workspace) -> None:
    fresh.evals("brew", [{"id": "a[1]", "prompt": BLACK, "should_trigger": True}, *BREW[1:]])
    assert fresh.build("brew:replay[a[1]]").prompts == [BLACK]


def test_less_than_verify_that_did_not_hold_is_undecided_since_no_gate_was_asked(fresh: Workspace) -> None:
    black, latte, *others = BREW
    fresh.evals("brew", [black, {**latte, "checks": [{"contains": "Nobody says this"}]}, *others])
    held = fresh.build("brew:replay[black]")
    assert (held.status, held.report["verdict"]) == (0, "pass")
    failed = fresh.build("brew:replay[latte]")
    assert (failed.status, failed.report["verdict"], failed.package("brew")["gates"]) == (3, "inconclusive", [])
    assert [failure["target"] for failure in failed.package("brew")["failures"]] == ["brew:replay[latte]"]
    assert fresh.build("brew:baseline[latte]").report["verdict"] == "pass"


def test_rows_of_other_cases_stay_in_the_lock_when_one_case_is_built(built: Workspace) -> None:
    before = built.rows("brew")
    built.edit("brew/evals/evals.yaml", LATTE, "Coffee and milk")
    assert built.build("brew:replay[latte]").prompts == ["Coffee and milk"]
    after = built.rows("brew")
    assert (after["black"], after["song"]) == (before["black"], before["song"])
    assert list(after["latte"]) == ["with_skill"]


@pytest.mark.parametrize(
    "targets",
    [["nosuch"], ["brew:nosuch"], ["brew:replay[nosuch]"], ["brew:spec[black]"], ["brew["], [""], ["/etc"], ["brew:replay["]],
    ids=repr,
)
def test_a_target_that_does_not_exist_is_an_error_of_use_and_nothing_is_asked(targets: list[str], fresh: Workspace) -> None:
    status, _, stderr = fresh.selftune("build", *targets, "-C", str(fresh.root))
    assert status == 2
    assert stderr.startswith("error: ")
    assert "Traceback" not in stderr
    assert fresh.lines() == []
    assert fresh.locks() == {}


# exit status


def failing(workspace: Workspace) -> None:
    """brew fails a required gate: nothing is ever shown to pass."""
    workspace.edit("brew/evals/evals.yaml", "Grind the beans", "Nobody says this")
    workspace.edit("brew/evals/evals.yaml", "Steam", "Nor this")
    workspace.write("brew/selftune.yaml", json.dumps({"version": 1, "gates": {"task-pass-rate": {"min": 0.99}}}))


def undecided(workspace: Workspace) -> None:
    """bake has too few cases for the gate it names."""
    workspace.write("bake/selftune.yaml", json.dumps({"version": 1, "gates": {"trigger-recall": {"min": 0.9}}}))


def unreadable(workspace: Workspace) -> None:
    """A third package has a bad manifest."""
    workspace.skill("boil", "Boils eggs.", "Boil.")
    workspace.write("boil/selftune.yaml", "version: 1\nagnet: house\n")


@pytest.mark.parametrize(
    ("troubles", "status", "verdict"),
    [
        ([], 0, "pass"),
        ([undecided], 3, "inconclusive"),
        ([failing], 1, "fail"),
        ([failing, undecided], 1, "fail"),
        ([unreadable], 2, "inconclusive"),
        ([unreadable, undecided], 2, "inconclusive"),
        ([unreadable, failing, undecided], 2, "fail"),
    ],
    ids=["nothing", "undecided", "failing", "failing+undecided", "unreadable", "unreadable+undecided", "all"],
)
def test_the_worst_outcome_decides_the_exit_status(troubles: list[Any], status: int, verdict: str, fresh: Workspace) -> None:
    for trouble in troubles:
        trouble(fresh)
    built = fresh.build("--keep-going")
    assert (built.status, built.report["verdict"], built.report["ok"]) == (status, verdict, status == 0)
    assert built.report["exit_code"] == status


def test_a_package_that_cannot_be_read_does_not_keep_the_others_from_being_built(built: Workspace) -> None:
    before = built.locks()
    unreadable(built)
    again = built.build()
    (problem,) = again.package("boil")["problems"]
    assert (problem["code"], problem["path"], problem["line"]) == ("bad-input", "boil/selftune.yaml", 2)
    assert again.package("brew")["verdict"] == "pass"
    assert built.locks() == before


def test_a_gate_that_is_not_required_never_counts(fresh: Workspace) -> None:
    failing(fresh)
    fresh.write("brew/selftune.yaml", json.dumps({"version": 1, "gates": {"task-pass-rate": {"min": 0.99, "required": False}}}))
    built = fresh.build()
    assert built.status == 0
    assert ("task-pass-rate", "fail", False) in {
        (gate["id"], gate["verdict"], gate["required"]) for gate in built.package("brew")["gates"]
    }


def test_an_agent_that_is_not_installed_is_undecided_and_keeps_what_is_there(built: Workspace) -> None:
    document = manifest(argv=["no-such-program-anywhere"])
    built.write("selftune.yaml", json.dumps(document))
    missing = built.build()
    assert missing.status == 3
    problems = missing.package("brew")["problems"]
    assert {problem["code"] for problem in problems} == {"no-evidence"}
    assert "no-such-program-anywhere" in problems[0]["message"]


def test_a_store_that_cannot_be_written_is_4_and_beats_a_bad_manifest(fresh: Workspace, tmp_path: Path) -> None:
    unreadable(fresh)
    (tmp_path / "a file").write_text("in the way of the store")
    status, _, stderr = fresh.selftune(
        "build", "-C", str(fresh.root), environment={"SELFTUNE_STORE": str(tmp_path / "a file" / "store")}
    )
    assert status == 4
    assert "a file" in stderr
    assert fresh.lines() == []


def test_a_lock_that_cannot_be_replaced_is_4_and_the_answers_are_kept(fresh: Workspace) -> None:
    fresh.lock_path("brew").mkdir()
    (fresh.lock_path("brew") / "in the way").touch()
    status, _, stderr = fresh.selftune("build", "brew", "-C", str(fresh.root))
    assert status == 4
    assert "selftune.lock" in stderr
    (fresh.lock_path("brew") / "in the way").unlink()
    fresh.lock_path("brew").rmdir()
    before = len(fresh.lines())
    assert fresh.build("brew").status == 0
    assert len(fresh.lines()) == before == 5


def test_a_package_without_a_case_is_undecided_and_names_the_command_that_makes_some(tmp_path: Path) -> None:
    workspace = kitchen(tmp_path / "workspace", tmp_path / "ledger")
    workspace.skill("boil", "Boils eggs.", "Boil.")
    alone = workspace.build("boil")
    assert (alone.status, alone.calls) == (3, [])
    assert alone.package("boil")["next_command"] == f"selftune eval generate boil -C {workspace.root}"


def test_the_lock_is_a_plain_file_that_others_may_read(built: Workspace) -> None:
    built.lock_path("brew").unlink()
    os.umask(os.umask(0o022))
    built.build()
    assert stat.S_IMODE(built.lock_path("brew").stat().st_mode) & 0o444 == 0o444
