"""What holds for every agent holds for this one, a stand-in of the program answering as pi does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from selftune_agent_pi.agent import PI

from selftune_build.agents.hosts import Opening
from selftune_build.agents.hosts.stream import line
from selftune_build.testing import AgentContract, SkillWorkspace, skill_workspace

__all__ = ["skill_workspace"]

EVALS = 'format: selftune.evals/1\ncases:\n  - {id: a, prompt: "Use pdf now", should_trigger: true}\n'
STAND_IN = f"""#!{sys.executable} -I
import json, pathlib, sys
if "--version" in sys.argv:
    sys.exit(print("0.74.2"))
said = "Good morning!" if "greet" in sys.stdin.read() else "Yes."
events = [{{"type": "session", "version": 3}}]
body = pathlib.Path(".pi/skills/greeting/SKILL.md")
if body.exists():
    path = {{"path": str(body.absolute())}}
    result = {{"content": [{{"type": "text", "text": body.read_text()}}]}}
    events.append({{"type": "tool_execution_start", "toolCallId": "1", "toolName": "read", "args": path}})
    events.append({{"type": "tool_execution_end", "toolCallId": "1", "toolName": "read", "result": result, "isError": False}})
usage = {{"input": 3, "output": 7, "cacheRead": 0, "cacheWrite": 0, "cost": {{"total": 0.002}}}}
message = {{"role": "assistant", "content": [{{"type": "text", "text": said}}], "usage": usage, "stopReason": "stop"}}
events += [{{"type": kind, "message": message}} for kind in ("message_update", "message_end")] + [{{"type": "agent_end"}}]
print("\\n".join(json.dumps(each, separators=(",", ":")) for each in events))
"""


class TestPi(AgentContract):
    agent_type = PI
    model = "scripted-model"
    broken_answers = (*AgentContract.broken_answers, line(Opening("/ws")), line(Opening("/ws")) + b'{"type":"agent_end"}\n')

    @pytest.fixture(autouse=True)
    def _program(self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
        folder: Path = tmp_path_factory.mktemp("bin")
        (folder / "pi").write_text(STAND_IN)
        (folder / "pi").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def test_without_the_program_a_build_ends_undecided_and_says_how_to_install_it(
    skill_workspace: SkillWorkspace, tmp_path: Path
) -> None:
    skill_workspace.skill("pdf", {"evals/evals.yaml": EVALS})
    finished = skill_workspace.run("build", "verify", "pdf", "--agent", "pi", "--json", environment={"PATH": str(tmp_path)})
    (problem,) = finished.document["packages"][0]["problems"]
    assert (finished.status, problem["code"]) == (3, "no-evidence")
    assert "`npm install --global @earendil-works/pi-coding-agent`" in problem["message"]
