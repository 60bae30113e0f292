"""The predecessor's verbs below `create`: the same targets as of `build`, under their old names and flags."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.property.workspace import Workspace


def typed(workspace: Workspace, verb: str, *arguments: str, path: str = "brew") -> tuple[int, dict[str, Any]]:
    """Exit status and document."""
    words = ("create", verb, "--skill-path", str(workspace.root / path), "--json", *arguments)
    status, stdout, stderr = workspace.selftune(*words)
    assert "error:" not in stderr
    return status, json.loads(stdout)


@pytest.mark.parametrize(("verb", "stage"), [("replay", "brew:replay"), ("baseline", "brew:baseline"), ("report", "brew:verify")])
def test_a_verb_brings_its_stage_up_to_date_and_nothing_of_another_package(fresh: Workspace, verb: str, stage: str) -> None:
    status, document = typed(fresh, verb)
    (package,) = document["packages"]
    assert (status, package["name"]) == (0, "brew")
    assert {each["target"]: each["state"] for each in package["stages"]}[stage] == "built"


def test_status_is_told_whatever_it_is_and_check_decides_by_it(live: Workspace) -> None:
    built = live
    assert typed(built, "check", path="brew/SKILL.md")[0] == 0
    built.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans slowly.")
    status, document = typed(built, "status")
    assert (status, document["packages"][0]["state"]) == (0, "needs_routing_replay")
    status, document = typed(built, "check")
    assert (status, document["packages"][0]["state"]) == (1, "needs_routing_replay")


def test_publish_refuses_as_publish_does(built: Workspace) -> None:
    status, document = typed(built, "publish", "--ignore-watch-alerts")
    assert (status, document["packages"][0]["problems"][0]["code"]) == (1, "evidence-simulated")


def test_a_mode_is_accepted_and_an_unknown_flag_is_not(built: Workspace) -> None:
    assert typed(built, "replay", "--mode", "package")[0] == 0
    status, _, stderr = built.selftune("create", "replay", "--skill-path", str(built.root / "brew"), "--fast")
    assert (status, "--fast" in stderr) == (2, True)
