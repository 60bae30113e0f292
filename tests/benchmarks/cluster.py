"""Samples by a Dask cluster of processes on loopback, with selftune-executor-dask installed.

`python -m tests.benchmarks.cluster [SAMPLES [WORKERS]]`: a table of the local executor and of the cluster, on as many slots;
`python -m tests.benchmarks.cluster workspace [PACKAGES [CASES [WORKERS]]]`: a whole workspace of the embedded agent.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from selftune_build.store.archive import Archive, decode
from tests.benchmarks.throughput import ROUNDS, SECONDS, sleeper, workspace
from tests.benchmarks.workspaces import Size, write_workspace

CHECKOUT = Path(__file__).parents[2]


class Ran(NamedTuple):
    """One build: how long it took, with all that belongs to it, and the CPU time of the build alone."""

    wall_s: float
    cpu_s: float
    answers: int
    calls: int


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[str, list[int]]]:
    """A scheduler and its workers of one thread each: the URL, and the processes."""
    folder.mkdir()
    file = folder / "scheduler.json"
    own = ["--no-dashboard", "--scheduler-file", str(file)]
    processes = [_dask("scheduler", *own, "--host", "127.0.0.1", "--port", "0")]
    try:
        _until(file.exists)
        local = ["--local-directory", str(folder / "local"), "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny"]
        processes += [_dask("worker", *own, *local) for _ in range(workers)]
        address = json.loads(file.read_text())["address"]
        _until(lambda: _count(address) == workers)
        yield address.replace("tcp://", "dask://"), [process.pid for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def build(root: Path, store: Path, *arguments: str) -> Ran:
    """A build of everything, its answers counted in the store."""
    environment = {**os.environ, "SELFTUNE_STORE": str(store), "PYTHONPATH": str(CHECKOUT)}
    command = [sys.executable, "-m", "selftune_build", "build", "-y", "--json", "-C", str(root), *arguments]
    before, started = os.times(), time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - started, os.times()
    if done.returncode not in (0, 3):
        raise RuntimeError(done.stdout + done.stderr)
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    answers = sum(_is_answer(path) for path in store.glob("samples/*/*/*.zst") if ".err" not in path.name)
    return Ran(wall, cpu, answers, json.loads(done.stdout)["spend"]["agent_calls"])


def throughput(samples: int, workers: int) -> str:
    """A table of both ways on this machine, one after the other, on the same slots."""
    ideal = samples * SECONDS / workers
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        for name in ("local", "dask"):
            workspace(here / name / "brew", samples // ROUNDS, sleeper(SECONDS))
        local = build(here / "local/brew", here / "local/store", "-j", str(workers))
        with cluster(here / "cluster", workers) as (url, _):
            remote = build(here / "dask/brew", here / "dask/store", "-j", str(workers), "--executor", url)
    lines = [
        "| | wall s | share of the ideal | answers | calls |",
        "|---|---|---|---|---|",
        f"| ideal | {ideal:.2f} | 100 % | | |",
    ]
    for name, ran in (("local", local), (f"{workers} Dask workers", remote)):
        lines.append(f"| {name} | {ran.wall_s:.2f} | {100 * ideal / ran.wall_s:.1f} % | {ran.answers} | {ran.calls} |")
    lines.append(f"| workers / local | {remote.wall_s / local.wall_s:.3f} | | | |")
    return "\n".join(lines)


def whole_workspace(packages: int, cases: int, workers: int) -> str:
    """What a workspace of the embedded agent took, and whether every case was answered once."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        write_workspace(here / "workspace", Size(packages, cases))
        with cluster(here / "cluster", workers) as (url, processes):
            ran = build(here / "workspace", here / "store", "-j", str(8 * workers), "--executor", url)
            by_cluster = sum(map(_cpu_of, processes))
        again = build(here / "workspace", here / "store", "--executor", "dask://127.0.0.1:9")
    each = 1000 / (packages * cases)
    lines = ["| packages x cases | workers | wall s | CPU ms a sample: build, cluster | answers | calls | calls afterwards |"]
    lines.append("|---|---|---|---|---|---|---|")
    cost = f"{ran.cpu_s * each:.1f}, {by_cluster * each:.1f}"
    lines.append(
        f"| {packages} x {cases} | {workers} | {ran.wall_s:.0f} | {cost} | {ran.answers} | {ran.calls} | {again.calls} |"
    )
    return "\n".join(lines)


def _dask(role: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    quiet: Any = subprocess.DEVNULL
    return subprocess.Popen([sys.executable, "-m", "dask", role, *arguments], env=environment, stdout=quiet, stderr=quiet)


def _count(address: str) -> int:
    import distributed

    with distributed.Client(address, set_as_default=False) as client:
        return len(client.nthreads())


def _until(holds: Any) -> None:
    while not holds():
        time.sleep(0.1)


def _is_answer(path: Path) -> bool:
    return bool(decode(path.read_bytes(), Archive).raw)


def _cpu_of(process: int) -> float:
    """CPU seconds of a process that still runs, and of its children that have ended."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    if sys.argv[1:2] == ["workspace"]:
        given = [int(word) for word in sys.argv[2:]]
        print(whole_workspace(*(given + [1_000, 100, 4][len(given) :])))
    else:
        given = [int(word) for word in sys.argv[1:]]
        print(throughput(*(given + [402, 8][len(given) :])))
