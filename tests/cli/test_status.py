"""`selftune status`: the first step that is left of each package, and one command that takes it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from tests.property.workspace import CHECKOUT, Workspace

SCRIPT = "if __name__ == '__main__':\n    print(1)\n"
SCHEMA: dict[str, Any] = json.loads((CHECKOUT / "schemas/selftune-status-1.json").read_text())


def status_of(workspace: Workspace, name: str) -> dict[str, Any]:
    """The status of one package, from JSON that satisfies its schema."""
    status, stdout, stderr = workspace.selftune("status", "--json", "-C", str(workspace.root))
    assert (status, stderr) == (0, "")
    document = json.loads(stdout)
    jsonschema.validate(document, SCHEMA)
    (found,) = (package for package in document["packages"] if package["name"] == name)
    return dict(found)


def _nothing(workspace: Workspace) -> None:
    """Leaves everything as it is."""


def _no_evals(workspace: Workspace) -> None:
    (workspace.root / "brew/evals/evals.yaml").unlink()


def _other_body(workspace: Workspace) -> None:
    workspace.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans slowly.")


def _bad_name(workspace: Workspace) -> None:
    workspace.edit("brew/SKILL.md", "description: Makes coffee and espresso.", 'description: ""')


def _new_file(workspace: Workspace) -> None:
    workspace.write("brew/notes.md", "Nobody reads this.\n")


def _strict_gate(workspace: Workspace) -> None:
    manifest = json.loads(workspace.read("selftune.yaml"))
    manifest["defaults"]["gates"]["trigger-recall"] = {"min": 0.9}
    workspace.write("selftune.yaml", json.dumps(manifest))
    assert workspace.build().status == 3


@pytest.mark.parametrize(
    ("edit", "state", "command"),
    [
        (_nothing, "ready_to_publish", "selftune publish brew"),
        (_no_evals, "needs_evals", "selftune eval generate brew"),
        (_other_body, "needs_routing_replay", "selftune build brew:replay"),
        (_bad_name, "blocked_spec_validation", "selftune build brew:spec -v"),
        (_new_file, "needs_verification", "selftune build brew"),
        (_strict_gate, "needs_passing_gates", "selftune build brew -v"),
    ],
)
def test_the_first_step_that_is_left_is_named_with_its_command(
    live: Workspace, edit: Callable[[Workspace], None], state: str, command: str
) -> None:
    edit(live)
    found = status_of(live, "brew")
    assert found["state"] == state
    assert shlex.split(found["next_command"])[:-2] == command.split()
    assert shlex.split(found["next_command"])[-2:] == ["-C", str(live.root)]


def test_data_and_modules_beside_scripts_are_no_scripts(live: Workspace) -> None:
    live.write("brew/scripts/data.json", "{}\n")
    live.write("brew/scripts/shared.py", "WEIGHT = 1\n")
    assert status_of(live, "brew")["state"] == "needs_verification"
    status, stdout, _ = live.selftune("eval", "unit-test", "--generate", "-C", str(live.root))
    assert (status, stdout.splitlines()[0].partition(";")[0]) == (
        0,
        "nothing to write: every package that has a script has unit tests",
    )
    assert "nothing tests" not in live.selftune("init", str(live.root))[1]


def test_evidence_that_is_not_let_out_is_a_step_of_its_own(built: Workspace) -> None:
    found = status_of(built, "brew")
    assert (found["state"], found["next_command"]) == ("needs_live_evidence", "selftune doctor")
    assert "the evidence is simulated" in found["summary"]


def test_the_command_takes_the_step(live: Workspace) -> None:
    _other_body(live)
    live.selftune(*shlex.split(status_of(live, "brew")["next_command"])[1:])
    assert status_of(live, "brew")["state"] not in ("needs_routing_replay", "needs_evals")


def test_a_script_that_no_unit_test_runs_is_a_step_of_a_package_that_is_not_verified(live: Workspace) -> None:
    live.write("brew/scripts/weigh.py", SCRIPT)
    assert status_of(live, "brew")["state"] == "needs_unit_tests"
    live.build()
    assert status_of(live, "brew")["state"] == "ready_to_publish"  # what no gate asks for stands in nobody's way


def test_a_unit_test_that_failed_is_named_before_the_rows_that_it_blocks(live: Workspace) -> None:
    _other_body(live)
    live.write("brew/scripts/weigh.py", SCRIPT)
    case = {"id": "weighs", "run": ["python3", "scripts/weigh.py"], "checks": [{"contains": "2"}]}
    live.write("brew/tests/unit.yaml", json.dumps({"format": "selftune.unit-tests/1", "cases": [case]}))
    assert live.build("brew").states["brew:replay"] == "blocked"
    found = status_of(live, "brew")
    assert (found["state"], found["summary"]) == ("needs_unit_tests", "1 of 1 unit test failed: weighs")
    shown = shlex.split(found["next_command"])
    assert shown == ["selftune", "show", "brew:unit-tests[weighs]", "-C", str(live.root)]
    assert "failed" in live.selftune(*shown[1:])[1]


def test_the_age_of_the_evidence_is_that_of_the_samples_in_the_store(live: Workspace) -> None:
    found = status_of(live, "brew")
    assert found["origin"] == "live"
    assert found["oldest"] is not None
    assert found["oldest"] <= found["newest"]


def test_without_the_samples_the_age_is_not_known_and_said_so(live: Workspace, tmp_path: Any) -> None:
    elsewhere = {**live.environment, "SELFTUNE_STORE": str(tmp_path / "empty")}
    status, stdout, _ = live.selftune("status", "-C", str(live.root), environment=elsewhere)
    assert status == 0
    assert "its samples are not in this store" in stdout
    assert "2 of 2 packages ready to publish" in stdout


def test_the_evidence_of_a_package_is_that_of_its_agent(built: Workspace) -> None:
    """What no agent was asked is not missing from the store, and nobody is that old."""
    case = {"id": "pours", "run": ["python3", "-c", "print(1)"], "checks": [{"contains": "1"}]}
    built.skill("boil", "Boils water.", "Boil it.")
    built.write("boil/tests/unit.yaml", json.dumps({"format": "selftune.unit-tests/1", "cases": [case]}))
    built.build()

    def told() -> dict[str, str]:
        _, text, _ = built.selftune("status", "-C", str(built.root))
        names = [line.split()[0] for line in text.splitlines() if line and not line.startswith(" ")]
        return dict(zip(names, (line for line in text.splitlines() if line.startswith("  evidence: ")), strict=False))

    first = told()
    assert first["boil"] == "  evidence: none, no case asks an agent"
    assert re.match(r"  evidence: simulated, samples \d+ (s|min)( to \d+ (s|min))? old, served", first["brew"])
    assert not re.search(r"\b(\d+ \w+) to \1\b", first["brew"])
    built.remove_store()
    assert told()["brew"] == "  evidence: simulated, its samples are not in this store"
    for name, verb in (("brew", "Makes"), ("bake", "Bakes")):
        built.edit(f"{name}/SKILL.md", f"description: {verb}", f"description: Always. {verb}")
    assert told()["brew"] == "  evidence: simulated, none of it of today"
    assert (status_of(built, "brew")["asked"], status_of(built, "brew")["answered"]) == (5, 0)
