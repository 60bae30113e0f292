"""What holds for every agent holds for this one, a stand-in of the program answering as Codex does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from selftune_agent_codex.agent import CODEX

from selftune_build.agents.hosts import Opening
from selftune_build.agents.hosts.stream import line
from selftune_build.testing import AgentContract, SkillWorkspace, skill_workspace

__all__ = ["skill_workspace"]

EVALS = 'format: selftune.evals/1\ncases:\n  - {id: a, prompt: "Use pdf now", should_trigger: true}\n'
STAND_IN = f"""#!{sys.executable} -I
import json, pathlib, sys
prompt = sys.stdin.read()
said = "Good morning!" if "greet" in prompt else "Yes."
events = [{{"type": "thread.started", "thread_id": "t"}}]
body = pathlib.Path(sys.argv[sys.argv.index("-C") + 1], ".agents/skills/greeting/SKILL.md")
if body.exists():
    command = {{"command": "cat .agents/skills/greeting/SKILL.md", "aggregated_output": body.read_text(), "exit_code": 0}}
    events.append({{"type": "item.completed", "item": {{"id": "0", "type": "command_execution", **command}}}})
events.append({{"type": "item.completed", "item": {{"id": "1", "type": "agent_message", "text": said}}}})
events.append({{"type": "turn.completed", "usage": {{"input_tokens": 3, "output_tokens": 7}}}})
print("\\n".join(map(json.dumps, events)))
"""


class TestCodex(AgentContract):
    agent_type = CODEX
    model = "scripted-model"
    broken_answers = (*AgentContract.broken_answers, line(Opening("/ws")), line(Opening("/ws")) + b'{"type":"turn.failed"}\n')

    @pytest.fixture(autouse=True)
    def _program(self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
        folder: Path = tmp_path_factory.mktemp("bin")
        (folder / "codex").write_text(STAND_IN)
        (folder / "codex").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def test_without_the_program_a_build_ends_undecided_and_says_how_to_install_it(
    skill_workspace: SkillWorkspace, tmp_path: Path
) -> None:
    skill_workspace.skill("pdf", {"evals/evals.yaml": EVALS})
    finished = skill_workspace.run("build", "verify", "pdf", "--agent", "codex", "--json", environment={"PATH": str(tmp_path)})
    (problem,) = finished.document["packages"][0]["problems"]
    assert (finished.status, problem["code"]) == (3, "no-evidence")
    assert "`npm install --global @openai/codex`" in problem["message"]
