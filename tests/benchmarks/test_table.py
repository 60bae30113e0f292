"""The benchmark of docs/performance.md, on the small workspace."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import table
from tests.benchmarks.evidence import write_locks
from tests.benchmarks.workspaces import Size, edit_body, write_workspace


@pytest.mark.benchmark
def test_the_table_compares_selftune_with_its_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_ROUNDS", "3")
    lines = table.main("S")
    print("\n".join(lines))
    for name in (table.BUILD, table.PLAN, table.LOCKED, table.NINJA, table.DOIT, table.MAKE, table.GIT):
        assert any(line.startswith(f"| {name} |") for line in lines)
    assert sum(" / " in line and line.startswith(("| no-op:", "| edit:")) for line in lines) == len(table.GOALS["S"])


def report_of(root: Path, *options: str) -> dict[str, object]:
    argv = [sys.executable, "-m", "selftune_build", "build", "--json", "-C", str(root), *options]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    report: dict[str, object] = json.loads(done.stdout)
    return report


def test_the_invented_locks_are_accepted_and_one_edit_makes_exactly_the_cases_stale_that_saw_the_body(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    write_workspace(root, Size(packages=4, cases=20))
    write_locks(root)
    assert report_of(root, "--locked")["verdict"] == "pass"
    assert report_of(root)["spend"] == {"agent_calls": 0, "judge_calls": 0, "cost_usd": 0.0, "reused": 80}
    edit_body(root, 1)
    planned = report_of(root, "--dry-run")
    packages = planned["packages"]
    assert isinstance(packages, list)
    stale = {stage["target"]: stage["run"] for package in packages for stage in package["stages"] if stage["run"]}
    assert stale == {"skill-0003:replay": 10}
