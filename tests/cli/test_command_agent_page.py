"""docs/command-agent.md: its program works as it stands, and its objects are those of the protocol."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.property.workspace import CHECKOUT, Workspace

PAGE = (CHECKOUT / "docs/command-agent.md").read_text()


def blocks(language: str) -> list[str]:
    """The code of the page in one language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A skill whose agent and judge are the program of the page."""
    found = Workspace(tmp_path / "workspace", tmp_path / "ledger")
    found.write("tools/agent.py", blocks("python")[0])
    house = {"type": "command", "argv": ["python3", "tools/agent.py"], "free": True, "origin": "live"}
    defaults = {"agent": "house", "judge": "house", "agents": {"house": house}, "gates": {"task-pass-rate": {"min": 0.0}}}
    found.write("selftune.yaml", json.dumps({"version": 1, "workspace": {"members": ["brew"]}, "defaults": defaults}))
    found.skill("brew", "Makes coffee.", "Grind the beans.")
    found.evals("brew", [{"id": "hello", "prompt": "Say hello", "checks": [{"contains": "Hello"}, {"sentence": "It greets."}]}])
    return found


def test_the_program_of_the_page_is_an_agent_and_a_judge(workspace: Workspace) -> None:
    built = workspace.build()
    (row,) = (row for row in built.report["packages"][0]["rows"] if row["arm"] == "with_skill")
    assert (row["state"], row["n"], row["passed"]) == ("held", 3, 3)
    assert built.report["spend"]["judge_calls"] > 0


def test_the_objects_of_the_page_have_the_fields_of_the_protocol(workspace: Workspace) -> None:
    request, response = (json.loads(block.replace("…", "x")) for block in blocks("json"))
    workspace.write(
        "tools/agent.py",
        "import json, pathlib, sys\nrequest = json.load(sys.stdin)\n"
        f"pathlib.Path({str(workspace.ledger)!r}).write_text(json.dumps(request))\n"
        f"answer = {response!r}\nanswer['skills_used'] = ['brew']\nprint(json.dumps(answer))\n",
    )
    report = workspace.selftune("build", "brew:replay", "--json", "-C", str(workspace.root))[1]
    assert json.loads(report)["spend"]["cost_usd"] >= 0.004
    asked = json.loads(workspace.ledger.read_text())
    assert asked.keys() - {"schema"} == request.keys()
