"""A workspace of two skills with an agent that answers questions, in a process of its own that keeps a ledger."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from selftune_build.__main__ import main
from selftune_build.engine.load import load_universe
from selftune_build.model.case import Case

AGENT = Path(__file__).with_name("completing_agent.py")
GENERATED = "evals/generated.yaml"


class Shop:
    """A workspace of two skills with an agent that answers questions."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.ledger = root.parent / "ledger"
        self.capsys = capsys
        (root / "tools").mkdir(parents=True)
        shutil.copyfile(AGENT, root / "tools" / "agent.py")
        self.skill("parcels", "Sends parcels. Use when a parcel has to be sent.")
        self.skill("letters", "Writes letters. Use when a letter has to be written.")
        self.agent("well")

    def skill(self, name: str, description: str, body: str = "Do it.") -> Path:
        """Write a skill; its folder."""
        folder = self.root / "skills" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "SKILL.md").write_text(f"---\nname: {name}\ndescription: {json.dumps(description)}\n---\n\n{body}\n")
        return folder

    def agent(self, mode: str, more: str = "") -> None:
        """Declare the agent `scribe`, answering in this way."""
        argv = f"[{sys.executable}, tools/agent.py, {mode}]"
        (self.root / "selftune.yaml").write_text(
            'version: 1\nworkspace: {members: ["skills/*"]}\ndefaults:\n'
            f"  agents: {{scribe: {{type: command, argv: {argv}, env: [TEST_LEDGER, TEST_TESTS]}}}}\n{more}"
        )

    def run(self, *words: str) -> dict[str, Any]:
        """The JSON report of `selftune eval WORD…`, its exit status checked against it."""
        self.capsys.readouterr()
        status = main(["eval", *words, "--json", "-C", str(self.root)])
        report: dict[str, Any] = json.loads(self.capsys.readouterr().out)
        assert report["exit_code"] == status
        return report

    def generate(self, *more: str) -> int:
        """Exit status of generating evals for `parcels` with the agent."""
        return main(["eval", "generate", "parcels", "--agent", "scribe", "-C", str(self.root), *more])

    def document(self, *more: str) -> dict[str, Any]:
        """The report on generating evals for `parcels` with the agent."""
        return self.run("generate", "parcels", "--agent", "scribe", *more)

    @property
    def calls(self) -> list[dict[str, Any]]:
        """What the agent was asked, in order."""
        text = self.ledger.read_text() if self.ledger.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    @property
    def file(self) -> Path:
        """The generated evals of `parcels`."""
        return self.root / "skills" / "parcels" / GENERATED

    def cases(self) -> list[Case]:
        """What a build of the package reads."""
        (package,) = (each for each in load_universe(self.root).packages if each.name == "parcels")
        return list(package.evals)
