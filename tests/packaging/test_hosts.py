"""The tests that drive real host programs: of pinned versions, and failing where the programs are not there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path


def test_the_versions_of_the_programs_are_pinned(checkout: Path) -> None:
    wanted = json.loads((checkout / "tests/hosts/package.json").read_text())["dependencies"]
    programs = {"@anthropic-ai/claude-code", "@earendil-works/pi-coding-agent", "@google/gemini-cli", "@openai/codex"}
    programs |= {"@github/copilot", "@qwen-code/qwen-code", "opencode-ai", "@vscode/ripgrep"}
    assert set(wanted) == programs
    assert [version for version in wanted.values() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


def test_without_the_programs_they_fail_and_are_not_skipped(checkout: Path, tmp_path: Path) -> None:
    shutil.copytree(checkout / "tests/hosts", tmp_path / "tests/hosts", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(checkout / "pyproject.toml", tmp_path / "pyproject.toml")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "hosts", "tests/hosts/test_routing.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "run `make hosts`" in done.stdout
    assert re.search(r"^\d+ (failed|errors?) in ", done.stdout, re.MULTILINE), done.stdout[-500:]
