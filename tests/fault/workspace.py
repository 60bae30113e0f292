"""A real workspace with the scripted agent, the real command line, and what may be left of both."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

AGENT = Path(__file__).with_name("agent.py")
PATIENCE_S = 60
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2

SKILL = """---
name: gardening
description: Answers questions about cabbage, leeks and their soil.
---

Read [soil](references/soil.md) first.
"""
EVALS = """format: selftune.evals/1
cases:
  - {id: cabbage, prompt: "When do I sow cabbage?", should_trigger: true, checks: [{contains: "answer to"}]}
  - {id: red-cabbage, prompt: "Which soil does red cabbage like?", should_trigger: true}
  - {id: tax, prompt: "How do I file my taxes?", should_trigger: false}
"""
ROWS = 4
"""With the skill three, and without it the one that has a check."""


class Workspace:
    """One package, its store, the agent's ledger and a temporary folder of its own, all below `folder`."""

    def __init__(self, folder: Path, samples: int = 2, timeout_s: int = 30, extra: str = "") -> None:
        self.root, self.faults, self.store, self.temporary = (folder / name for name in ("gardening", "faults", "store", "tmp"))
        self.samples = samples
        if not self.root.exists():
            self._make(timeout_s, extra)

    def _make(self, timeout_s: int, extra: str) -> None:
        for made in (self.root / "evals", self.root / "references", self.root / "tools", self.faults, self.temporary):
            made.mkdir(parents=True)
        (self.root / "SKILL.md").write_text(SKILL)
        (self.root / "references/soil.md").write_text("Loam.\n")
        (self.root / "evals/cases.yaml").write_text(EVALS)
        (self.root / "tools/agent.py").write_bytes(AGENT.read_bytes())
        manifest = f"""version: 1
agent: house
agents:
  house: {{type: command, argv: ["{sys.executable}", "-S", tools/agent.py], env: [FAULT_DIR]}}
samples: {{min: {self.samples}}}
limits: {{timeout_s: {timeout_s}}}
exclude: ["tools/**"]
{extra}"""
        (self.root / "selftune.yaml").write_text(manifest)
        self.behave()

    @property
    def needed(self) -> int:
        """Samples that a whole build takes."""
        return ROWS * self.samples

    def behave(self, *rules: dict[str, Any]) -> None:
        """What the agent does from now on; without rules it answers."""
        (self.faults / "rules.json").write_text(json.dumps(rules))

    def environment(self, **more: str) -> dict[str, str]:
        own = {"SELFTUNE_STORE": str(self.store), "FAULT_DIR": str(self.faults), "TMPDIR": str(self.temporary)}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SELFTUNE_", "PYTEST_"))}
        return {**kept, **own, "PYTHONPATH": str(Path(__file__).parents[2]), **more}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "selftune_build", "build", "-C", str(self.root), "-y", *arguments]

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            env=options.pop("env", self.environment()),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def build(self, *arguments: str, **options: Any) -> Ended:
        return ended(self.start(*arguments, **options))

    def report(self, *arguments: str, **options: Any) -> dict[str, Any]:
        result = self.build("--json", *arguments, **options)
        document = json.loads(result.stdout)
        assert document["exit_code"] == result.status
        return document

    def ledger(self) -> list[dict[str, Any]]:
        path = self.faults / "ledger"
        return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []

    def calls(self) -> Counter[str]:
        """How often each sample was asked for."""
        return Counter(each["call_id"] for each in self.ledger())

    def lock(self) -> bytes:
        return (self.root / "selftune.lock").read_bytes()

    def rows(self) -> dict[str, Any]:
        return json.loads(self.lock())["agents"]["house"]["cases"]

    def children(self) -> list[int]:
        return [each["pid"] for each in self.ledger()]

    def left_over(self) -> list[str]:
        """What is left in the temporary folder."""
        return sorted(path.name for path in self.temporary.iterdir())

    def in_flight(self) -> list[Path]:
        return sorted(self.store.glob("samples/*/*/*.wip"))

    def waiting_agents(self) -> int:
        """Agents that have reached the point where they pause."""
        return len(list(self.faults.glob("at-*")))

    def go(self) -> None:
        """Let every agent that pauses go on."""
        (self.faults / "go").touch()

    def forget_pauses(self) -> None:
        for path in [*self.faults.glob("at-*"), *self.faults.glob("go")]:
            path.unlink()


class Ended:
    """How an invocation ended."""

    def __init__(self, status: int, stdout: str, stderr: str) -> None:
        self.status, self.stdout, self.stderr = status, stdout, stderr
        assert "Traceback" not in stdout + stderr, stderr

    @property
    def said(self) -> str:
        """Everything it said, without the line breaks of the report."""
        return " ".join((self.stdout + self.stderr).split())


def ended(process: subprocess.Popen[str]) -> Ended:
    """Wait for an invocation."""
    stdout, stderr = process.communicate(timeout=PATIENCE_S * 2)
    return Ended(process.returncode, stdout, stderr)


def without_privilege() -> None:
    """Permission bits bind the child, also where the tests run as the user whom they do not bind."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            assert libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0


def until(condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Wait for something that other processes bring about."""
    last = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < last, "it did not come about"
        time.sleep(0.005)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has collected yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def all_gone(pids: Sequence[int]) -> bool:
    """Whether the processes are gone within a few seconds; what is left of them is ended."""
    last = time.monotonic() + 5
    while (alive := [pid for pid in pids if is_alive(pid)]) and time.monotonic() < last:
        time.sleep(0.01)
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
    return not alive
