"""The workspace of the tests on edits: two skills that compete, cases whose reads are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.property.workspace import Workspace

BREW = [
    {"id": "black", "prompt": "Make strong coffee", "should_trigger": True, "checks": [{"contains": "Grind the beans"}]},
    {"id": "latte", "prompt": "Pour coffee with milk", "should_trigger": True, "checks": [{"contains": "Steam"}]},
    {"id": "song", "prompt": "Sing a lullaby", "should_trigger": False},
]
BAKE = [
    {"id": "loaf", "prompt": "Knead some bread", "should_trigger": True, "checks": [{"contains": "Preheat"}]},
    {"id": "cup", "prompt": "One espresso, fast", "should_trigger": False},
]
ANY_RATE = {gate: {"min": 0.0} for gate in ("trigger-recall", "trigger-specificity", "task-pass-rate")}
"""Gates that small suites can settle."""


def manifest(**agent: Any) -> dict[str, Any]:
    """The workspace manifest; fields of the agent `house` can be added or replaced."""
    house = {
        "type": "command",
        "argv": ["python3", "-I", "-S", "tools/agent.py"],
        "deterministic": True,
        "free": True,
        "env": ["TEST_LEDGER"],
    }
    defaults = {"agent": "house", "agents": {"house": {**house, **agent}}, "gates": ANY_RATE}
    return {"version": 1, "workspace": {"members": ["b*"]}, "defaults": defaults}


def kitchen(root: Path, ledger: Path, **agent: Any) -> Workspace:
    """Write the workspace."""
    workspace = Workspace(root, ledger)
    root.mkdir(parents=True, exist_ok=True)
    workspace.write("selftune.yaml", json.dumps(manifest(**agent), indent=1))
    workspace.install_agent()
    workspace.skill(
        "brew", "Makes coffee and espresso.", "Grind the beans.\nWith milk: references/milk.md, water: references/water.md"
    )
    workspace.write("brew/references/milk.md", "Steam the milk.\n")
    workspace.write("brew/references/water.md", "Filter the water.\n")
    workspace.evals("brew", BREW)
    workspace.skill("bake", "Bakes bread and cake.", "Preheat the oven.")
    workspace.evals("bake", BAKE)
    return workspace
