"""What holds for every agent holds for this one, a stand-in of the program answering as opencode does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from selftune_agent_opencode.agent import OPENCODE

from selftune_build.agents.hosts import Opening
from selftune_build.agents.hosts.stream import line
from selftune_build.testing import AgentContract, SkillWorkspace, skill_workspace

__all__ = ["skill_workspace"]

EVALS = 'format: selftune.evals/1\ncases:\n  - {id: a, prompt: "Use pdf now", should_trigger: true}\n'
STAND_IN = f"""#!{sys.executable} -I
import json, pathlib, sys
if "--version" in sys.argv:
    sys.exit(print("1.18.33"))
said = "Good morning!" if "greet" in sys.stdin.read() else "Yes."
parts = []
if pathlib.Path(".opencode/skills/greeting/SKILL.md").exists():
    state = {{"status": "completed", "input": {{"name": "greeting"}}, "output": "<skill_content>", "metadata": {{}}}}
    parts.append({{"type": "tool", "tool": "skill", "state": state}})
parts.append({{"type": "text", "messageID": "m", "text": said}})
parts.append({{"type": "step-finish", "reason": "stop", "tokens": {{"input": 3, "output": 7}}, "cost": 0.002}})
for part in parts:
    kind = {{"tool": "tool_use"}}.get(part["type"], part["type"].replace("-", "_"))
    print(json.dumps({{"type": kind, "sessionID": "s", "part": part}}))
"""


class TestOpencode(AgentContract):
    agent_type = OPENCODE
    model = "scripted-model"
    broken_answers = (
        *AgentContract.broken_answers,
        line(Opening("/ws")),
        line(Opening("/ws")) + b'{"type":"step_finish","part":{}}\n',
    )

    @pytest.fixture(autouse=True)
    def _program(self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
        folder: Path = tmp_path_factory.mktemp("bin")
        for name in ("opencode", "rg"):
            (folder / name).write_text(STAND_IN)
            (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def test_without_the_program_a_build_ends_undecided_and_says_how_to_install_it(
    skill_workspace: SkillWorkspace, tmp_path: Path
) -> None:
    skill_workspace.skill("pdf", {"evals/evals.yaml": EVALS})
    finished = skill_workspace.run("build", "verify", "pdf", "--agent", "opencode", "--json", environment={"PATH": str(tmp_path)})
    (problem,) = finished.document["packages"][0]["problems"]
    assert (finished.status, problem["code"]) == (3, "no-evidence")
    assert "`npm install --global opencode-ai`" in problem["message"]
