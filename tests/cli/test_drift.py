"""Samples that were not all served alike are reported, and decide nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

AGENT = """\
import json, sys
asked = json.load(sys.stdin)
answer = {"output": "done", "skills_used": ["tea"], "tool_calls": [], "files_read": [], "model": MODEL}
print(json.dumps(answer))
"""


def build(folder: Path, model: str) -> list[dict[str, str]]:
    """Build a package of one case with an agent that says it was served by `model`, an expression; the findings."""
    package = folder / "tea"
    (package / "evals").mkdir(parents=True, exist_ok=True)
    (package / "SKILL.md").write_text("---\nname: tea\ndescription: Brews tea. Use it for tea.\n---\n\nBrew it.\n")
    (package / "evals/e.yaml").write_text("format: selftune.evals/1\ncases:\n  - {id: a, prompt: Brew, should_trigger: true}\n")
    (package / "agent.py").write_text(AGENT.replace("MODEL", model))
    agent = {"house": {"type": "command", "argv": [sys.executable, "agent.py"], "free": True}}
    (package / "selftune.yaml").write_text(json.dumps({"version": 1, "agent": "house", "agents": agent}))
    command = [sys.executable, "-m", "selftune_build", "build", "--json", "-C", str(package)]
    environment = {**os.environ, "SELFTUNE_STORE": str(folder / "store")}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 3, ended.stdout + ended.stderr
    findings: list[dict[str, str]] = json.loads(ended.stdout)["packages"][0]["findings"]
    return findings


def test_another_model_for_some_samples_is_a_note(tmp_path: Path) -> None:
    (found,) = [each for each in build(tmp_path, "f\"m{asked['sample']}\"") if each["code"] == "model-drift"]
    assert found["severity"] == "note"
    assert "m0, m1, m2" in found["message"]


def test_who_comes_again_is_told_the_same_although_no_sample_is_read(tmp_path: Path) -> None:
    first = build(tmp_path, "f\"m{asked['sample']}\"")
    assert build(tmp_path, "f\"m{asked['sample']}\"") == first
    assert build(tmp_path, "f\"m{asked['sample']}\"") == first


def test_one_model_for_all_is_nothing_to_speak_of(tmp_path: Path) -> None:
    assert [each for each in build(tmp_path, '"m"') if "drift" in each["code"]] == []
