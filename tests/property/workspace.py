"""A real workspace on disk, built by the real command, with an agent that keeps its own ledger beside it.

Nothing here imports the product: what is known of a build is its exit status, its report, the locks, and the ledger.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

AGENT = Path(__file__).with_name("ledger_agent.py")
CHECKOUT = Path(__file__).parents[2]

Run = Callable[[Sequence[str], Mapping[str, str]], tuple[int, str, str]]
"""Runs `selftune` with these arguments and this environment; exit status, stdout and stderr."""


def command(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str, str]:
    """The real command, in a process of its own."""
    argv = [sys.executable, "-m", "selftune_build", *arguments]
    done = subprocess.run(
        argv, env=dict(environment), capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL, check=False
    )
    return done.returncode, done.stdout, done.stderr


def plain_environment() -> dict[str, str]:
    """The environment of this process without what would choose a store or a colour."""
    left_out = ("SELFTUNE_STORE", "NO_COLOR", "FORCE_COLOR", "PYTHONHASHSEED")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return {**kept, "PYTHONPATH": str(CHECKOUT)}


@dataclass(frozen=True)
class Built:
    """What one invocation did."""

    status: int
    report: dict[str, Any]
    calls: list[dict[str, Any]]
    """Lines of the ledger that are new."""
    stdout: str
    stderr: str

    @property
    def prompts(self) -> list[str]:
        """What the agent was asked, sorted."""
        return sorted(call["prompt"] for call in self.calls)

    @property
    def states(self) -> dict[str, str]:
        """State by target."""
        return {stage["target"]: stage["state"] for package in self.report["packages"] for stage in package["stages"]}

    def package(self, name: str) -> dict[str, Any]:
        """The only report on this package."""
        (found,) = (package for package in self.report["packages"] if package["name"] == name)
        return found

    def stage(self, target: str) -> dict[str, Any]:
        """The only report on this target."""
        (found,) = (stage for package in self.report["packages"] for stage in package["stages"] if stage["target"] == target)
        return found

    def reasons(self, target: str) -> set[tuple[str, str]]:
        """Code and name of every reason that is given for a target."""
        return {(reason["code"], reason["name"]) for reason in self.stage(target)["reasons"]}


@dataclass
class Workspace:
    """A folder with packages, and the ledger of its agent in another folder."""

    root: Path
    ledger: Path
    run: Run = command
    environment: dict[str, str] = field(default_factory=plain_environment)

    def write(self, path: str, text: str) -> None:
        """Write one file below the root."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def read(self, path: str) -> str:
        """The text of one file below the root."""
        return (self.root / path).read_text(encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace what stands exactly once in a file."""
        text = self.read(path)
        assert text.count(old) == 1, (path, old)
        self.write(path, text.replace(old, new))

    def install_agent(self) -> None:
        """Put the agent's program where the manifest names it."""
        (self.root / "tools").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(AGENT, self.root / "tools/agent.py")

    def skill(self, name: str, description: str, body: str) -> None:
        """Write a package's SKILL.md."""
        self.write(f"{name}/SKILL.md", f"---\nname: {name}\ndescription: {description}\n---\n\n{body}\n")

    def evals(self, name: str, cases: Sequence[Mapping[str, Any]]) -> None:
        """Write a package's evals in the native format, as YAML that is JSON."""
        self.write(f"{name}/evals/evals.yaml", json.dumps({"format": "selftune.evals/1", "cases": list(cases)}, indent=1))

    def build(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Built:
        """`selftune build --json` with these arguments in this folder."""
        status, stdout, stderr = self.selftune("build", *arguments, "--json", "-C", str(self.root), environment=environment)
        before, self._seen = self._seen, len(self.lines())
        return Built(status, json.loads(stdout), self.lines()[before:], stdout, stderr)

    def selftune(self, *arguments: str, environment: Mapping[str, str] | None = None) -> tuple[int, str, str]:
        """Any command, from a folder that has nothing to do with the workspace."""
        return self.run(arguments, {**self.environment, "TEST_LEDGER": str(self.ledger), **(environment or {})})

    _seen: int = 0

    def lines(self) -> list[dict[str, Any]]:
        """The whole ledger."""
        return [json.loads(line) for line in self.ledger.read_text().splitlines()] if self.ledger.exists() else []

    def lock_path(self, name: str) -> Path:
        """Where the lock of a package is."""
        return self.root / name / "selftune.lock"

    def lock(self, name: str) -> bytes:
        """The bytes of a package's lock."""
        return self.lock_path(name).read_bytes()

    def locks(self) -> dict[str, bytes]:
        """Every lock by package."""
        return {path.parent.name: path.read_bytes() for path in sorted(self.root.glob("*/selftune.lock"))}

    def rows(self, name: str, agent: str = "house") -> dict[str, Any]:
        """The rows of a lock as plain data: case, arm, row."""
        return dict(json.loads(self.lock(name))["agents"][agent]["cases"])

    def remove_store(self) -> None:
        """Forget every paid result."""
        shutil.rmtree(self.root / ".selftune")
