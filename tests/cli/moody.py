"""A package whose cases hold at known rates, and its audits by the real command."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from selftune_build.testing.workspace import Finished, SkillWorkspace
from tests.unit.lock.locks import written

PROGRAM = Path(__file__).with_name("moody_agent.py")
RATES = {f"case-{number:02}": rate for number, rate in enumerate([100] * 5 + [80, 60, 40] + [0] * 4)}
ANY_RATE = {gate: {"min": 0.0} for gate in ("trigger-recall", "task-pass-rate")}
NONCE = "00112233445566778899aabbccddeeff"


class Moody:
    """The package `tend` below a workspace of which the lock has 24 rows: 12 cases with and without the skill."""

    def __init__(self, folder: Path) -> None:
        self.rules, self.root, self.store = (folder / name for name in ("rules", "workspace", "store"))
        self.workspace = SkillWorkspace(self.root, {"MOODY_DIR": str(self.rules), "SELFTUNE_STORE": str(self.store)})

    def furnish(self) -> Moody:
        """Write the workspace, and let its agent behave."""
        self.rules.mkdir(parents=True)
        self.root.mkdir()
        self.workspace.skill("tend").write({"tools/agent.py": PROGRAM.read_bytes()})
        agent = {
            "type": "command",
            "argv": [sys.executable, "-S", "tools/agent.py"],
            "env": ["MOODY_DIR"],
            "deterministic": False,
        }
        defaults = {"agent": "house", "agents": {"house": agent}, "samples": {"min": 3}, "gates": ANY_RATE}
        document = {"version": 1, "workspace": {"members": ["tend"]}, "defaults": defaults}
        cases = [
            {"id": name, "prompt": f"Tend bed {name} at {rate} %", "should_trigger": True, "checks": [{"contains": "well done"}]}
            for name, rate in RATES.items()
        ]
        evals = {"format": "selftune.evals/1", "cases": cases}
        self.workspace.write({"selftune.yaml": json.dumps(document), "tend/evals/cases.yaml": json.dumps(evals)})
        self.behave()
        return self

    def behave(self, **rules: Any) -> None:
        """What the agent does from now on."""
        (self.rules / "rules.json").write_text(json.dumps(rules))

    def build(self) -> dict[str, Any]:
        """Bring the lock up to date."""
        return self.workspace.report("-y")

    def run(self, *arguments: str) -> Finished:
        """Any command in the workspace."""
        return self.workspace.run(*arguments)

    def audit(self, *arguments: str, nonce: str | None = NONCE, status: int = 0) -> dict[str, Any]:
        """The document of an audit, which ends with this status."""
        drawn = ["--nonce", nonce] if nonce is not None else []
        done = self.run("audit", "-y", "--json", "-j", "2", *drawn, *arguments)
        assert done.status == status, (done.stdout, done.stderr)
        document: dict[str, Any] = json.loads(done.stdout)
        assert document["exit_code"] == status
        return document

    def calls(self) -> list[dict[str, Any]]:
        """The ledger of the agent."""
        path = self.rules / "ledger"
        return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []

    def files(self) -> dict[str, str]:
        """Digest of every file of workspace and store, but for the samples of audits."""
        paths = [path for folder in (self.root, self.store) for path in folder.rglob("*") if path.is_file()]
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in paths
            if (self.store / "audits") not in path.parents
        }

    def forge(self, change: Callable[[Mapping[str, Any]], None]) -> None:
        """Change the rows of the lock and compute again all that follows from them."""
        path = self.root / "tend/selftune.lock"
        document = json.loads(path.read_bytes())
        change(document["agents"]["house"]["cases"])
        path.write_bytes(written(document))
        kept = self.store.with_name("kept")
        self.store.rename(kept)  # without samples a build keeps what holds, and writes the verdicts that follow
        before = len(self.calls())
        self.build()
        assert len(self.calls()) == before
        shutil.rmtree(self.store)
        kept.rename(self.store)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A command that goes on by itself."""
        argv = [sys.executable, "-P", "-m", "selftune_build", *arguments]
        return subprocess.Popen(
            argv,
            cwd=self.root,
            env={**os.environ, **self.workspace.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def all_pass(cases: Mapping[str, Any]) -> None:
    """Every row with the skill is a full success."""
    for arms in cases.values():
        arms["with_skill"]["passed"] = arms["with_skill"]["n"]
