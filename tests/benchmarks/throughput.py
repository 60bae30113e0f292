"""How busy a build keeps its slots: `python -m tests.benchmarks.throughput [SAMPLES [SLOTS]]` prints a table.

The agent is the cheapest that is a real process: a shell that sleeps for half a second and prints an answer, so that next to no
CPU time is its own. Beside the build a bare loop of as many threads starts the same command as often, and keeps nothing.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from selftune_build.store.archive import Archive, decode

SECONDS = 0.5
ANSWER = json.dumps({"output": "done", "skills_used": ["brew"], "files_read": [], "tool_calls": [], "error": None})
ROUNDS = 3
"""Samples of each case."""
SKILL = "---\nname: brew\ndescription: Makes coffee.\n---\n\nGrind the beans.\n"
CHECKOUT = Path(__file__).parents[2]
COUNTING = """
import os, sys
from selftune_build.__main__ import main
real, counted = os.fsync, []
os.fsync = lambda descriptor: (counted.append(1), real(descriptor))[1]
sys.argv[0] = "selftune"
try:
    main()
finally:
    print("fsyncs", len(counted), file=sys.stderr)
"""
"""The command, and in the end how often it made something durable."""


class Ran(NamedTuple):
    """One way to run so many calls."""

    name: str
    wall_s: float
    cpu_s: float
    answers: int
    fsyncs: int


def sleeper(seconds: float) -> list[str]:
    """The agent."""
    return ["sh", "-c", f"sleep {seconds}; printf %s '{ANSWER}'"]


def workspace(root: Path, cases: int, agent: Sequence[str]) -> None:
    """One package whose cases are all answered alike."""
    house = {"type": "command", "argv": list(agent)}
    manifest = {"version": 1, "agent": "house", "agents": {"house": house}, "samples": {"min": ROUNDS, "max": ROUNDS}}
    evals = [{"id": f"c{number}", "prompt": f"Make coffee {number}", "should_trigger": True} for number in range(cases)]
    (root / "evals").mkdir(parents=True)
    (root / "SKILL.md").write_text(SKILL)
    (root / "selftune.yaml").write_text(json.dumps(manifest))
    (root / "evals/cases.yaml").write_text(json.dumps({"format": "selftune.evals/1", "cases": evals}))


def build(root: Path, slots: int) -> Ran:
    """A build of everything, counted: answers are archives that decode."""
    store = root.parent / "store"
    before, started = _cpu(), time.perf_counter()
    done = _selftune(root, store, slots)
    wall, cpu = time.perf_counter() - started, _cpu() - before
    answers = [decode(path.read_bytes(), Archive) for path in store.glob("samples/*/*/*.zst") if ".err" not in path.name]
    fsyncs = int(done.stderr.rpartition("fsyncs ")[2])
    return Ran("`selftune build`", wall, cpu, sum(answer.raw.endswith(b"}") for answer in answers), fsyncs)


def _selftune(root: Path, store: Path, slots: int) -> subprocess.CompletedProcess[str]:
    """The command with its bytecode where an installation has it, also from a checkout that must not be written to."""
    own = {"SELFTUNE_STORE": str(store), "PYTHONPATH": str(CHECKOUT), "PYTHONPYCACHEPREFIX": str(root.parent / "bytecode")}
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    argv = [sys.executable, "-c", COUNTING, "build", "-y", "-q", "-j", str(slots), "-C", str(root)]
    done = subprocess.run(argv, env={**kept, **own}, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        raise RuntimeError(done.stdout + done.stderr)
    return done


def bare(samples: int, slots: int, agent: Sequence[str]) -> Ran:
    """The same command as often from as many threads; nothing is kept."""
    request = json.dumps({"prompt": "Make coffee", "workspace": "/tmp"}).encode()

    def call(_number: int) -> bool:
        return subprocess.run(agent, input=request, capture_output=True, check=True).stdout.endswith(b"}")

    before, started = _cpu(), time.perf_counter()
    with ThreadPoolExecutor(slots) as pool:
        answers = sum(pool.map(call, range(samples)))
    return Ran("bare loop", time.perf_counter() - started, _cpu() - before, answers, 0)


def _cpu() -> float:
    """CPU time of this process and of all that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def table(samples: int, slots: int, seconds: float = SECONDS) -> str:
    """Both ways on this machine, one after the other."""
    ideal, agent = samples * seconds / slots, sleeper(seconds)
    with tempfile.TemporaryDirectory() as folder:
        workspace(Path(folder) / "warm", 1, agent)
        _selftune(Path(folder) / "warm", Path(folder) / "warm-store", 1)
        workspace(Path(folder) / "brew", samples // ROUNDS, agent)
        ran = [bare(samples, slots, agent), build(Path(folder) / "brew", slots)]
    lines = ["| | wall s | share of the ideal | CPU ms a call | answers | fsyncs |", "|---|---|---|---|---|---|"]
    lines.append(f"| ideal | {ideal:.2f} | 100 % | | {samples} | |")
    for each in ran:
        share, cpu = 100 * ideal / each.wall_s, 1000 * each.cpu_s / samples
        lines.append(f"| {each.name} | {each.wall_s:.2f} | {share:.1f} % | {cpu:.1f} | {each.answers} | {each.fsyncs} |")
    lines.append(f"| build / bare loop | {ran[1].wall_s / ran[0].wall_s:.3f} | | | | |")
    return "\n".join(lines)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    print(table(*(given + [2_001, 32][len(given) :])))
