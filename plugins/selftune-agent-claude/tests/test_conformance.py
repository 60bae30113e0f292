"""What holds for every agent holds for this one, a stand-in of the program answering as Claude Code does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from selftune_agent_claude.agent import CLAUDE

from selftune_build.agents.hosts import Opening
from selftune_build.agents.hosts.stream import line
from selftune_build.testing import AgentContract, SkillWorkspace, skill_workspace

__all__ = ["skill_workspace"]

EVALS = 'format: selftune.evals/1\ncases:\n  - {id: a, prompt: "Use pdf now", should_trigger: true}\n'
STAND_IN = f"""#!{sys.executable} -I
import json, sys
prompt = sys.stdin.read()
said = "Good morning!" if "greet" in prompt else "Yes."
events = [{{"type": "system", "subtype": "init", "claude_code_version": "2.1.197", "skills": ["greeting"], "model": "m"}}]
if "Skill" in sys.argv[sys.argv.index("--tools") + 1]:
    call = {{"type": "tool_use", "id": "1", "name": "Skill", "input": {{"skill": "greeting"}}}}
    back = {{"type": "tool_result", "tool_use_id": "1", "content": [{{"type": "text", "text": "ok"}}], "is_error": False}}
    events.append({{"type": "assistant", "message": {{"model": "served", "content": [call]}}}})
    events.append({{"type": "user", "message": {{"content": [back]}}}})
usage = {{"input_tokens": 3, "output_tokens": 7}}
events.append({{"type": "result", "subtype": "success", "is_error": False, "result": said, "stop_reason": "end_turn",
               "total_cost_usd": 0.002, "usage": usage, "permission_denials": []}})
print("\\n".join(map(json.dumps, events)))
"""


class TestClaude(AgentContract):
    agent_type = CLAUDE
    model = "scripted-model"
    broken_answers = (*AgentContract.broken_answers, line(Opening("/ws")), line(Opening("/ws")) + b'{"type":"result"}\n')

    @pytest.fixture(autouse=True)
    def _program(self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
        folder: Path = tmp_path_factory.mktemp("bin")
        (folder / "claude").write_text(STAND_IN)
        (folder / "claude").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def test_without_the_program_a_build_ends_undecided_and_says_how_to_install_it(
    skill_workspace: SkillWorkspace, tmp_path: Path
) -> None:
    skill_workspace.skill("pdf", {"evals/evals.yaml": EVALS})
    finished = skill_workspace.run("build", "verify", "pdf", "--agent", "claude", "--json", environment={"PATH": str(tmp_path)})
    (problem,) = finished.document["packages"][0]["problems"]
    assert (finished.status, problem["code"]) == (3, "no-evidence")
    assert "`npm install --global @anthropic-ai/claude-code`" in problem["message"]
