"""A workspace whose checks need a judge: agent and judge are commands that keep a ledger each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from selftune_build.testing.workspace import Finished, SkillWorkspace

PROGRAM = Path(__file__).with_name("judge_programs.py")
SENTENCE = {"id": "tea", "prompt": "Make tea", "should_trigger": True, "checks": [{"sentence": "It was done by the book"}]}
FREE_GATES = {"trigger-recall": {"min": 0.04}, "task-pass-rate": {"min": 0.04}}
"""Gates that one case can pass."""


class Bench:
    """One package, `brew`, below the workspace of which `selftune.yaml` is `manifest(…)`."""

    def __init__(self, folder: Path) -> None:
        self.rules = folder / "rules"
        self.rules.mkdir(parents=True)
        root = folder / "workspace"
        root.mkdir()
        self.workspace = SkillWorkspace(root, {"JUDGING_DIR": str(self.rules)})
        self.workspace.skill("brew").write({"tools/agent.py": PROGRAM.read_bytes(), "tools/judge.py": PROGRAM.read_bytes()})
        self.behave()
        self.manifest()
        self.cases(SENTENCE)

    def manifest(self, judge: Any = "jury", deterministic: bool = False, jury: dict[str, Any] | None = None, **more: Any) -> None:
        """Write the manifest; `judge` None: there is none."""

        def agent(name: str) -> dict[str, Any]:
            argv = [sys.executable, "-S", f"tools/{name}.py"]
            return {"type": "command", "argv": argv, "env": ["JUDGING_DIR"], "deterministic": deterministic}

        defaults = {"agent": "house", "agents": {"house": agent("agent"), "jury": agent("judge") | (jury or {})}}
        defaults |= {"samples": {"min": 2}, "limits": {"timeout_s": 30}, "gates": FREE_GATES, **more}
        if judge is not None:
            defaults["judge"] = judge
        document = {"version": 1, "workspace": {"members": ["brew"]}, "defaults": defaults}
        self.workspace.write({"selftune.yaml": json.dumps(document)})

    def cases(self, *cases: dict[str, Any]) -> None:
        """Write the evals."""
        self.workspace.write({"brew/evals/cases.yaml": json.dumps({"format": "selftune.evals/1", "cases": cases})})

    def behave(self, *rules: dict[str, Any]) -> None:
        """What agent and judge do from now on."""
        (self.rules / "rules.json").write_text(json.dumps(rules))

    def build(self, *arguments: str) -> dict[str, Any]:
        """The JSON report; it and the exit status say the same."""
        return self.workspace.report("-y", *arguments)

    def run(self, *arguments: str) -> Finished:
        """Any command."""
        return self.workspace.run(*arguments)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A build that goes on by itself."""
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "selftune_build", "build", "-y", "--json", *arguments],
            cwd=self.workspace.root,
            env={**os.environ, **self.workspace.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ledger(self, role: str) -> list[dict[str, Any]]:
        """The calls of `run` (the agent) or `complete` (the judge)."""
        path = self.rules / role
        return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []

    @property
    def calls(self) -> tuple[int, int]:
        """Of the agent and of the judge, since the last time this was asked."""
        counts = tuple(len(self.ledger(role)) for role in ("run", "complete"))
        before = getattr(self, "_before", (0, 0))
        self._before = counts
        return counts[0] - before[0], counts[1] - before[1]

    def row(self, case: str = "tea", arm: str = "with_skill") -> dict[str, Any]:
        """A row of the lock."""
        row: dict[str, Any] = self.entry["cases"][case][arm]
        return row

    @property
    def entry(self) -> dict[str, Any]:
        """What the lock has of the agent."""
        entry: dict[str, Any] = self.workspace.lock("brew")["agents"]["house"]
        return entry


def package(report: dict[str, Any]) -> dict[str, Any]:
    """The one package of a report."""
    (found,) = report["packages"]
    data: dict[str, Any] = found
    return data


def stage(report: dict[str, Any], name: str = "replay") -> dict[str, Any]:
    """One stage of the one package."""
    (found,) = (each for each in package(report)["stages"] if each["target"] == f"brew:{name}")
    data: dict[str, Any] = found
    return data


def codes(report: dict[str, Any]) -> set[str]:
    """The codes of its problems."""
    return {problem["code"] for problem in package(report)["problems"]}
