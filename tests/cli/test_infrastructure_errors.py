"""Calls that break are not evidence: they can leave a verdict open, and never turn it."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.property.workspace import Built, Workspace

AGENT = Path(__file__).with_name("unreliable_agent.py")
SEEDS = range(30)
CASES = 6
EXPECTED = {"sure": "pass", "deaf": "fail", "torn": "inconclusive"}


def workspace(folder: Path) -> Workspace:
    """Three packages: one that passes, one that fails, one that cannot be decided."""
    made = Workspace(folder / "workspace", folder / "ledger")
    made.write("tools/agent.py", AGENT.read_text(encoding="utf-8"))
    for name in EXPECTED:
        made.skill(name, f"Does what {name} asks for.", "Do it.")
        made.evals(name, [{"id": f"{name}{n}", "prompt": f"{name}, task {n}", "should_trigger": True} for n in range(CASES)])
    return made


def manifest(*arguments: str) -> str:
    """The workspace's manifest, its agent with these arguments."""
    house = {
        "type": "command",
        "argv": ["python3", "-I", "-S", "tools/agent.py", *arguments],
        "deterministic": False,
        "free": True,
    }
    defaults: dict[str, Any] = {"agent": "house", "agents": {"house": {**house, "env": ["TEST_LEDGER"]}}, "samples": {"min": 2}}
    return json.dumps({"version": 1, "workspace": {"members": list(EXPECTED)}, "defaults": defaults})


def built_anew(made: Workspace, *arguments: str) -> Built:
    """Build without anything that was measured before."""
    made.write("selftune.yaml", manifest(*arguments))
    shutil.rmtree(made.root / ".selftune", ignore_errors=True)
    for name in EXPECTED:
        made.lock_path(name).unlink(missing_ok=True)
    made.ledger.unlink(missing_ok=True)
    status, out, err = made.selftune("build", "--json", "--keep-going", "-j", "16", "-C", str(made.root))
    return Built(status, json.loads(out), [], out, err)


@pytest.mark.slow
def test_errors_in_three_of_ten_calls_never_turn_a_verdict(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    assert {package["name"]: package["verdict"] for package in built_anew(made).report["packages"]} == EXPECTED
    seen: Counter[str] = Counter()
    broken = answered = 0
    for seed in SEEDS:
        report = built_anew(made, "--seed", str(seed)).report
        attempts = Counter(made.ledger.read_text(encoding="utf-8").split())
        samples = sum(row["n"] for package in report["packages"] for row in package["rows"])
        answered, broken = answered + samples, broken + attempts.total() - samples
        for package in report["packages"]:
            short = {row["target"] for row in package["rows"] if row["n"] < 2}
            named = {problem["target"]: problem["message"] for problem in package["problems"] if problem["code"] == "no-evidence"}
            assert set(named) == short, (seed, package["name"])
            half = {row["target"] for row in package["rows"] if row["n"] == 1}
            assert {target for target, message in named.items() if message.endswith("(1 of 2 samples missing)")} == half
            assert package["verdict"] == EXPECTED[package["name"]] or (package["verdict"] == "inconclusive" and short), seed
            seen[f"{'same' if package['verdict'] == EXPECTED[package['name']] else 'open'} {'short' if short else 'whole'}"] += 1
    assert 0.25 < broken / (broken + answered) < 0.35
    # Not one of these may be missing, or nothing was tried.
    assert min(seen[kind] for kind in ("same whole", "same short", "open short")) > 0
    assert seen["open whole"] == 0
