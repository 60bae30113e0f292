"""An agent that never answers is not asked for every sample, and one whose program is not there is not asked at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.property.kitchen import manifest
from tests.property.workspace import Workspace

CASES = 15
BROKEN = """\
import os, sys
with open(os.environ["TEST_LEDGER"], "a") as ledger:
    ledger.write("{}\\n")
sys.exit(f"cannot work in {os.getcwd()}")
"""
LATE = BROKEN.replace("sys.exit(", "import json\nif 'task 0' not in sys.stdin.read(): sys.exit(") + (
    'print(json.dumps({"output": "done", "skills_used": ["brew"], "files_read": [], "tool_calls": [], "error": None}))\n'
)
JUDGED = """\
import json, os, sys
if json.load(sys.stdin)["role"] == "complete":
    with open(os.environ["TEST_LEDGER"], "a") as ledger:
        ledger.write("{}\\n")
    sys.exit("cannot judge")
print(json.dumps({"output": "done", "skills_used": ["brew"], "files_read": [], "tool_calls": [], "error": None}))
"""


def workspace(root: Path, agent: str, **fields: object) -> Workspace:
    made = Workspace(root / "workspace", root / "ledger")
    made.write("selftune.yaml", json.dumps(manifest(**fields)))
    made.write("tools/agent.py", agent)
    made.skill("brew", "Makes coffee.", "Grind the beans.")
    made.evals("brew", [{"id": f"c{n}", "prompt": f"Make coffee, task {n}", "should_trigger": True} for n in range(CASES)])
    return made


def test_an_agent_that_breaks_each_time_is_given_up_and_told_once(tmp_path: Path) -> None:
    made = workspace(tmp_path, BROKEN)
    status, text, _ = made.selftune("build", "-j", "1", "-C", str(made.root))
    assert (status, len(made.lines())) == (3, 9)
    assert text.count("cannot work in {workspace}") == 1
    assert text.count("stopped: the agent breaks each time") == 1
    assert "12 cases of brew:replay" in text


def test_an_agent_that_answers_once_is_asked_on(tmp_path: Path) -> None:
    made = workspace(tmp_path, LATE)
    made.selftune("build", "-j", "1", "--keep-going", "-C", str(made.root))
    assert len(made.lines()) == 1 + 3 * (CASES - 1)


def test_a_judge_that_breaks_each_time_is_given_up_and_told_once(tmp_path: Path) -> None:
    made = workspace(tmp_path, JUDGED)
    made.write("brew/selftune.yaml", json.dumps({"version": 1, "judge": "house"}))
    cases = [{"id": f"c{n}", "prompt": f"Make coffee, task {n}", "checks": [{"sentence": f"It is {n}."}]} for n in range(CASES)]
    made.evals("brew", cases)
    status, text, _ = made.selftune("build", "brew:replay", "-j", "1", "-C", str(made.root))
    assert (status, len(made.lines())) == (3, 9)
    assert text.count("stopped: the judge breaks each time") == 1


@pytest.mark.parametrize("argv", [["python3", "tools/none.py"], ["python3", "-I", "-S", "./tools/none.py", "x/y"]])
def test_a_script_that_is_not_there_is_found_before_anything_is_asked(argv: list[str], tmp_path: Path) -> None:
    made = workspace(tmp_path, BROKEN, argv=argv)
    built = made.build()
    assert (built.status, built.report["spend"]["agent_calls"]) == (3, 0)
    assert "none.py of the agent `house` is not in the workspace: write it, or mend argv" in built.stdout


@pytest.mark.parametrize(
    "argv", [["sh", "-c", "exit 1", "a/b.sh"], ["env", "python3", "tools/none.py"], ["python3", "-m", "a/b.py"]]
)
def test_what_nobody_can_tell_is_asked(argv: list[str], tmp_path: Path) -> None:
    built = workspace(tmp_path, BROKEN, argv=argv).build("brew:replay[c0]")
    assert built.report["spend"]["agent_calls"] == 3
