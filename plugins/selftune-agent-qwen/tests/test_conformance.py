"""What holds for every agent holds for this one, a stand-in of the program answering as Qwen Code does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from selftune_agent_qwen.agent import QWEN

from selftune_build.agents.hosts import Opening
from selftune_build.agents.hosts.stream import line
from selftune_build.testing import AgentContract, SkillWorkspace, skill_workspace

__all__ = ["skill_workspace"]

EVALS = 'format: selftune.evals/1\ncases:\n  - {id: a, prompt: "Use pdf now", should_trigger: true}\n'
STAND_IN = f"""#!{sys.executable} -I
import json, pathlib, sys
said = "Good morning!" if "greet" in sys.stdin.read() else "Yes."
events = [{{"type": "system", "subtype": "init", "qwen_code_version": "0.15.10"}}]
if pathlib.Path(".qwen/skills/greeting/SKILL.md").exists():
    call = {{"type": "tool_use", "id": "1", "name": "skill", "input": {{"skill": "greeting"}}}}
    back = {{"type": "tool_result", "tool_use_id": "1", "content": "Greets people.", "is_error": False}}
    events.append({{"type": "assistant", "message": {{"content": [call]}}}})
    events.append({{"type": "user", "message": {{"content": [back]}}}})
usage = {{"input_tokens": 3, "output_tokens": 7}}
events.append({{"type": "result", "subtype": "success", "is_error": False, "result": said, "num_turns": 1, "usage": usage}})
print("\\n".join(map(json.dumps, events)))
"""


class TestQwen(AgentContract):
    agent_type = QWEN
    model = "scripted-model"
    broken_answers = (
        *AgentContract.broken_answers,
        line(Opening("/ws")),
        line(Opening("/ws")) + b'{"type":"step_finish","part":{}}\n',
    )

    @pytest.fixture(autouse=True)
    def _program(self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
        folder: Path = tmp_path_factory.mktemp("bin")
        (folder / "qwen").write_text(STAND_IN)
        (folder / "qwen").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def test_without_the_program_a_build_ends_undecided_and_says_how_to_install_it(
    skill_workspace: SkillWorkspace, tmp_path: Path
) -> None:
    skill_workspace.skill("pdf", {"evals/evals.yaml": EVALS})
    finished = skill_workspace.run("build", "verify", "pdf", "--agent", "qwen", "--json", environment={"PATH": str(tmp_path)})
    (problem,) = finished.document["packages"][0]["problems"]
    assert (finished.status, problem["code"]) == (3, "no-evidence")
    assert "`npm install --global @qwen-code/qwen-code`" in problem["message"]
