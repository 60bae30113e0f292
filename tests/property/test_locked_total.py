"""Every input of locked verify ends in pass, no, bad input or cannot-decide, within limits of time and memory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.property.kitchen import kitchen
from tests.property.workspace import plain_environment

pytestmark = pytest.mark.slow
PROGRAM = Path(__file__).with_name("total.py")
MEMORY = 1 << 30
ROUNDS = 1_500


@pytest.mark.parametrize("seed", [1, 2])
def test_files_that_were_damaged_or_made_to_harm_end_in_an_answer(tmp_path: Path, seed: int) -> None:
    workspace = kitchen(tmp_path / "workspace", tmp_path / "ledger")
    workspace.write("brew/scripts/pour.py", "print('poured')\n")
    case = {"id": "pours", "run": ["python3", "scripts/pour.py"], "checks": [{"regex": "pou+red"}]}
    workspace.write("brew/tests/unit.yaml", json.dumps({"format": "selftune.unit-tests/1", "cases": [case]}))
    workspace.write("brew/selftune.yaml", "version: 1\nlimits: {max_turns: 12}\n")
    assert workspace.build().status == 0

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    command = [sys.executable, str(PROGRAM), str(workspace.root), str(ROUNDS), str(seed)]
    done = subprocess.run(
        command, env=plain_environment(), capture_output=True, text=True, timeout=1_200, check=False, preexec_fn=bounded
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[-2_000:]
    outcomes = dict(line.split() for line in done.stdout.splitlines())
    assert {"1", "2"} <= outcomes.keys() <= {"0", "1", "2", "3"}
    assert sum(map(int, outcomes.values())) > ROUNDS
