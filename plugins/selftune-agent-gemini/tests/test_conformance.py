"""What holds for every agent holds for this one, a stand-in of the program answering as Gemini CLI does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from selftune_agent_gemini.agent import GEMINI

from selftune_build.agents.hosts import Opening
from selftune_build.agents.hosts.stream import line
from selftune_build.testing import AgentContract, SkillWorkspace, skill_workspace

__all__ = ["skill_workspace"]

EVALS = 'format: selftune.evals/1\ncases:\n  - {id: a, prompt: "Use pdf now", should_trigger: true}\n'
STAND_IN = f"""#!{sys.executable} -I
import json, pathlib, sys
if "--version" in sys.argv:
    sys.exit(print("0.61.0"))
prompt = sys.stdin.read()
said = "Good morning!" if "greet" in prompt else "Yes."
events = [{{"type": "init", "session_id": "s", "model": "m"}}, {{"type": "message", "role": "user", "content": prompt}}]
if pathlib.Path(".gemini/skills/greeting/SKILL.md").exists():
    name = {{"name": "greeting"}}
    events.append({{"type": "tool_use", "tool_name": "activate_skill", "tool_id": "1", "parameters": name}})
    events.append({{"type": "tool_result", "tool_id": "1", "status": "success", "output": "activated"}})
events.append({{"type": "message", "role": "assistant", "content": said, "delta": True}})
stats = {{"total_tokens": 10, "input_tokens": 3, "output_tokens": 7, "models": {{"served": {{}}}}}}
events.append({{"type": "result", "status": "success", "stats": stats}})
print("\\n".join(map(json.dumps, events)))
"""


class TestGemini(AgentContract):
    agent_type = GEMINI
    model = "scripted-model"
    broken_answers = (*AgentContract.broken_answers, line(Opening("/ws")), line(Opening("/ws")) + b'{"type":"result"}\n')

    @pytest.fixture(autouse=True)
    def _program(self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
        folder: Path = tmp_path_factory.mktemp("bin")
        (folder / "gemini").write_text(STAND_IN)
        (folder / "gemini").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def test_without_the_program_a_build_ends_undecided_and_says_how_to_install_it(
    skill_workspace: SkillWorkspace, tmp_path: Path
) -> None:
    skill_workspace.skill("pdf", {"evals/evals.yaml": EVALS})
    finished = skill_workspace.run("build", "verify", "pdf", "--agent", "gemini", "--json", environment={"PATH": str(tmp_path)})
    (problem,) = finished.document["packages"][0]["problems"]
    assert (finished.status, problem["code"]) == (3, "no-evidence")
    assert "`npm install --global @google/gemini-cli`" in problem["message"]
