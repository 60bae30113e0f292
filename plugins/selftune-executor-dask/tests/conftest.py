"""A real Dask cluster on loopback: scheduler and workers are processes of their own, and can be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from selftune_build.testing import SkillWorkspace, skill_workspace

__all__ = ["skill_workspace"]

PATIENCE_S = 120.0

# Writes into its ledger when it is asked and when it has answered: what it was paid for, by its own books.
AGENT = """
import json, os, pathlib, sys, time
request = json.load(sys.stdin)
parent = os.getppid()
def note(word):
    with open(pathlib.Path(__file__).parents[2] / "ledger", "a") as book:
        book.write(f"{word} {request['call_id']} {os.getpid()} {parent}\\n")
note("asked")
time.sleep(float(request["prompt"].split()[-1]))
while (pathlib.Path(__file__).parents[2] / "hold").exists():
    time.sleep(0.02)
answer = {"output": "DONE", "skills_used": [skill["name"] for skill in request["skills"]], "files_read": [], "tool_calls": [],
          "usage": {"input_tokens": 1, "output_tokens": 1, "cost_usd": 0.5}}
sys.stdout.write(json.dumps(answer))
sys.stdout.flush()
note("answered")
"""


class Cluster:
    """One scheduler and its workers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0")
        self.wait(self._file.exists)
        self.workers: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        return "dask://" + self._identity()["address"].removeprefix("tcp://")

    def add(self, count: int, preload: str = "") -> None:
        """Start so many workers of one thread each, which run this code first, and wait until they are there."""
        code = self._folder / "preload.py"
        code.write_text(preload)
        there = len(self.workers)
        for number in range(there, there + count):
            arguments = ["--nthreads", "1", "--no-nanny", "--host", "127.0.0.1", "--name", f"w{number}"]
            own = ["--local-directory", str(self._folder / "local"), "--preload", str(code)]
            self.workers.append(self._start("worker", *arguments, *own))
        self.wait(lambda: all(self._is_registered(number) for number in range(there, there + count)))

    @staticmethod
    def wait(holds: Callable[[], object]) -> None:
        """Until it does; a machine may be slow, so for long."""
        end = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < end, "it never happened"
            time.sleep(0.02)

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """As `kill -9`; children of the worker live on."""
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def log(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text(errors="replace")

    def _is_registered(self, number: int) -> bool:
        return f"name: w{number}" in self.log("scheduler")

    def _start(self, role: str, *arguments: str) -> subprocess.Popen[bytes]:
        name = role if role == "scheduler" else arguments[arguments.index("--name") + 1]
        command = [sys.executable, "-m", "dask", role, "--no-dashboard", "--scheduler-file", str(self._file), *arguments]
        with (self._folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)

    def _identity(self) -> dict[str, Any]:
        identity: dict[str, Any] = json.loads(self._file.read_text())
        return identity


class Ledger:
    """The books of the agent."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def hold(self) -> None:
        """From now on no agent answers, until `release`."""
        self._path.with_name("hold").touch()

    def release(self) -> None:
        """Let them answer."""
        self._path.with_name("hold").unlink()

    def calls(self, word: str) -> list[str]:
        """The call_ids that were `asked` or `answered`, in order."""
        return [line.split()[1] for line in self._lines() if line.startswith(word)]

    def processes(self) -> list[int]:
        """The agents that were asked."""
        return [int(line.split()[2]) for line in self._lines() if line.startswith("asked")]

    def workers(self) -> list[int]:
        """Who asked them."""
        return [int(line.split()[3]) for line in self._lines() if line.startswith("asked")]

    def _lines(self) -> list[str]:
        return self._path.read_text().splitlines() if self._path.exists() else []


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


@pytest.fixture
def start_cluster(tmp_path: Path) -> Iterator[Callable[..., Cluster]]:
    """Starts a cluster of so many workers for one test."""
    started: list[Cluster] = []

    def start(workers: int) -> Cluster:
        folder = tmp_path / f"cluster-{len(started)}"
        folder.mkdir()
        started.append(Cluster(folder))
        started[-1].add(workers)
        return started[-1]

    yield start
    for cluster in started:
        cluster.close()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers for every test that kills none."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.add(2)
        yield cluster
    finally:
        cluster.close()


@pytest.fixture
def workspace(skill_workspace: SkillWorkspace) -> Callable[..., SkillWorkspace]:
    """Makes a workspace of one package with so many cases, whose agent takes so many seconds and keeps books."""

    def make(cases: int, *, samples: int = 1, seconds: float = 0) -> SkillWorkspace:
        manifest = f"""
version: 1
agent: house
agents: {{house: {{type: command, argv: [python3, agent.py]}}}}
samples: {{min: {samples}}}
limits: {{timeout_s: 150}}
competitors: none
gates: {{trigger-recall: {{min: 0}}}}
"""
        prompts = [f"brew coffee {number}, it takes {seconds}" for number in range(cases)]
        evals = [{"id": f"c{number}", "prompt": prompt, "should_trigger": True} for number, prompt in enumerate(prompts)]
        files = {
            "selftune.yaml": manifest,
            "agent.py": AGENT,
            "evals/evals.yaml": json.dumps({"format": "selftune.evals/1", "cases": evals}),
        }
        return skill_workspace.skill("brew", files)

    return make


class Build:
    """`selftune build verify` while it runs."""

    def __init__(self, workspace: SkillWorkspace, report: Path, *arguments: str) -> None:
        self._report = report
        start = [sys.executable, "-P", "-m", "selftune_build", "build", "verify", "-y"]
        command = [*start, "--report", f"json={report}", *arguments]
        environment = {**os.environ, **workspace.environment}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=workspace.root, env=environment, stdout=pipe, stderr=pipe)

    def interrupt(self) -> None:
        """Ctrl-C, and wait until it was heard."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.stderr is not None
        while b"interrupted" not in (line := self.process.stderr.readline()):
            assert line, "it ended"

    def end(self) -> tuple[int, dict[str, Any]]:
        """Its exit status and its document."""
        _, err = self.process.communicate(timeout=PATIENCE_S)
        assert self._report.exists(), err.decode()
        return self.process.returncode, json.loads(self._report.read_text())


@pytest.fixture
def start_build(tmp_path: Path) -> Iterator[Callable[..., Build]]:
    started: list[Build] = []

    def start(workspace: SkillWorkspace, *arguments: str) -> Build:
        started.append(Build(workspace, tmp_path / f"report-{len(started)}.json", *arguments))
        return started[-1]

    yield start
    for build in started:
        build.process.kill()
        build.process.communicate()
