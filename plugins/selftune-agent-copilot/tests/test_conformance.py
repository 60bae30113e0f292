"""What holds for every agent holds for this one, a stand-in of the program answering as Copilot CLI does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from selftune_agent_copilot.agent import COPILOT

from selftune_build.agents.hosts import Opening
from selftune_build.agents.hosts.stream import line
from selftune_build.testing import AgentContract, SkillWorkspace, skill_workspace

__all__ = ["skill_workspace"]

EVALS = 'format: selftune.evals/1\ncases:\n  - {id: a, prompt: "Use pdf now", should_trigger: true}\n'
STAND_IN = f"""#!{sys.executable} -I
import json, pathlib, sys
if "--version" in sys.argv:
    sys.exit(print("GitHub Copilot CLI 1.0.102."))
said = "Good morning!" if "greet" in sys.stdin.read() else "Yes."
events = []
if pathlib.Path(".github/skills/greeting/SKILL.md").exists():
    call = {{"toolCallId": "1", "toolName": "skill", "arguments": {{"skill": "greeting"}}}}
    events.append({{"type": "tool.execution_start", "data": call}})
    back = {{"toolCallId": "1", "success": True, "result": {{"content": "loaded"}}}}
    events.append({{"type": "tool.execution_complete", "data": back}})
events.append({{"type": "assistant.message", "data": {{"content": said}}}})
events.append({{"type": "result", "exitCode": 0}})
print("\\n".join(map(json.dumps, events)))
"""


class TestCopilot(AgentContract):
    agent_type = COPILOT
    model = "scripted-model"
    broken_answers = (
        *AgentContract.broken_answers,
        line(Opening("/ws")),
        line(Opening("/ws")) + b'{"type":"step_finish","part":{}}\n',
    )

    @pytest.fixture(autouse=True)
    def _program(self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
        folder: Path = tmp_path_factory.mktemp("bin")
        (folder / "copilot").write_text(STAND_IN)
        (folder / "copilot").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def test_without_the_program_a_build_ends_undecided_and_says_how_to_install_it(
    skill_workspace: SkillWorkspace, tmp_path: Path
) -> None:
    skill_workspace.skill("pdf", {"evals/evals.yaml": EVALS})
    finished = skill_workspace.run("build", "verify", "pdf", "--agent", "copilot", "--json", environment={"PATH": str(tmp_path)})
    (problem,) = finished.document["packages"][0]["problems"]
    assert (finished.status, problem["code"]) == (3, "no-evidence")
    assert "`npm install --global @github/copilot`" in problem["message"]
