"""A lock that was damaged, or that knows more than is there: said before anything is spent, and never only with -v."""

from __future__ import annotations

import json

import pytest

from tests.property.kitchen import BREW
from tests.property.workspace import Workspace

COMMANDS = (("build", "--dry-run"), ("plan",), ("build",))


def said(workspace: Workspace, *arguments: str) -> str:
    """What a command writes anywhere, in one line."""
    _, stdout, stderr = workspace.selftune(*arguments, "-C", str(workspace.root))
    return " ".join((stdout + stderr).split())


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_damaged_lock_is_named_with_its_price_and_the_way_back(arguments: tuple[str, ...], built: Workspace) -> None:
    with built.lock_path("brew").open("a") as lock:
        lock.write("x")
    (built.root / ".selftune").rename(built.root.parent / "elsewhere")
    text = said(built, *arguments)
    assert "the lock cannot be believed: the lock cannot be read" in text
    assert "without it: 5 samples of this package to be taken" in text
    assert "git checkout -- " in text
    assert "brew/selftune.lock" in text.replace(" ", "")
    assert "[lock-malformed]" in text


def test_a_damaged_lock_is_named_before_anybody_is_asked(built: Workspace) -> None:
    with built.lock_path("brew").open("a") as lock:
        lock.write("x")
    done = built.build()
    assert done.stderr.startswith("brew: the lock cannot be believed")
    assert "the store has every sample" in done.stderr
    assert done.package("brew")["findings"][0]["code"] == "lock-malformed"


@pytest.mark.parametrize("arguments", COMMANDS)
def test_cases_that_only_the_lock_knows_are_named(arguments: tuple[str, ...], built: Workspace) -> None:
    built.evals("brew", BREW[:1])
    text = said(built, *arguments)
    assert "the lock knew 2 cases that are not there any more: latte, song" in text
    assert "[cases-gone]" in text


def test_a_suite_that_is_as_the_lock_knows_it_is_not_remarked_on(built: Workspace) -> None:
    built.build()
    assert {finding["code"] for finding in built.build().package("brew")["findings"]} & {"cases-gone", "rows-left-out"} == set()


def test_rows_that_a_build_leaves_out_of_the_lock_are_counted(built: Workspace) -> None:
    built.edit("brew/SKILL.md", "Grind the beans.", "Grind.")
    built.write("tools/agent.py", "raise SystemExit(1)\n")
    text = said(built, "build", "brew")
    count = 5 - sum(map(len, json.loads(built.lock("brew"))["agents"]["house"]["cases"].values()))
    assert count == 5
    assert "5 rows of the lock do not hold any more and were left out" in text
