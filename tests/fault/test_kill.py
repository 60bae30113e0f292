"""kill -9 of selftune while its agents answer: what was answered is free, what was not is asked again, the lock is the same."""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.fault.workspace import Workspace, all_gone, ended, is_alive, until


def slow(*values: object) -> Any:
    """A variant that tells little that another does not tell sooner."""
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The lock of a build that nobody killed."""
    workspace = Workspace(tmp_path_factory.mktemp("undisturbed"))
    workspace.build("-j", "2")
    assert set(workspace.calls().values()) == {1}
    return workspace.lock()


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def stop_at(workspace: Workspace, point: str, jobs: int) -> subprocess.Popen[str]:
    """A build whose first agents, as many as there are jobs, have reached a point and wait there."""
    workspace.behave({"mode": "pausing", "point": point})
    process = workspace.start("-j", str(jobs))
    until(lambda: workspace.waiting_agents() == jobs)
    return process


def listen(process: subprocess.Popen[str], words: str) -> None:
    """Read what a build says until it says this."""
    assert process.stderr is not None
    while words not in (line := process.stderr.readline()):
        assert line, f"it never said {words!r}"


def assert_finished(workspace: Workspace, lock: bytes) -> None:
    assert len(workspace.calls()) == workspace.needed
    assert workspace.lock() == lock
    assert (workspace.left_over(), workspace.in_flight()) == ([], [])
    again = workspace.report()
    assert (again["spend"]["agent_calls"], workspace.lock()) == (0, lock)


@pytest.mark.parametrize(
    ("point", "jobs"), [("begun", 4), ("half", 1), ("whole", 4), slow("begun", 1), slow("whole", 1), slow("half", 4)]
)
def test_the_next_run_waits_for_agents_that_still_answer_and_pays_nothing_for_them(
    workspace: Workspace, undisturbed: bytes, point: str, jobs: int
) -> None:
    kill(stop_at(workspace, point, jobs))
    assert (len(workspace.ledger()), len(workspace.in_flight())) == (jobs, jobs)
    following = workspace.start("-j", str(jobs))
    listen(following, "an agent started earlier is still answering")
    assert len(workspace.ledger()) == jobs
    workspace.go()
    ended(following)
    assert set(workspace.calls().values()) == {1}
    assert_finished(workspace, undisturbed)


@pytest.mark.parametrize("jobs", [slow(1), 4])
def test_an_answer_whose_agent_has_ended_before_anybody_took_it_is_free(
    workspace: Workspace, undisturbed: bytes, jobs: int
) -> None:
    process = stop_at(workspace, "whole", jobs)
    process.send_signal(signal.SIGSTOP)
    workspace.go()
    until(lambda: not any(map(is_alive, workspace.children())))
    kill(process)
    assert len(workspace.in_flight()) == jobs
    report = workspace.report("-j", str(jobs))
    assert report["spend"]["agent_calls"] == workspace.needed - jobs
    assert report["spend"]["cost_usd"] == pytest.approx(0.01 * (workspace.needed - jobs))
    assert set(workspace.calls().values()) == {1}
    assert_finished(workspace, undisturbed)


@pytest.mark.parametrize(("point", "asked"), [slow("begun", 2), ("half", 2), ("whole", 1)])
def test_where_the_agents_are_killed_too_only_whole_answers_count(
    workspace: Workspace, undisturbed: bytes, point: str, asked: int
) -> None:
    kill(stop_at(workspace, point, 4))
    hit = set(workspace.calls())
    for pid in workspace.children():
        os.kill(pid, signal.SIGKILL)
    assert all_gone(workspace.children())
    workspace.go()
    told = workspace.build("-j", "4").stderr
    assert {call: count for call, count in workspace.calls().items() if call in hit} == dict.fromkeys(hit, asked)
    assert {count for call, count in workspace.calls().items() if call not in hit} == {1}
    assert told.count("was never answered: it counts as spent") == (4 if asked == 2 else 0)
    assert_finished(workspace, undisturbed)


@pytest.mark.parametrize("tools", [False, True])
def test_an_answer_without_the_folder_it_speaks_of_is_kept_unless_it_may_have_left_files_there(
    workspace: Workspace, undisturbed: bytes, tools: bool
) -> None:
    """As after a power cut: what it read is unknown, so everything counts as read."""
    more = {"tool_calls": [{"name": "Write", "input": {}}]} if tools else {}
    workspace.behave({"prompt": "red", "mode": "pausing", "point": "whole", "more": more})
    process = workspace.start("-j", "1", "gardening:replay[red-cabbage]")
    until(lambda: workspace.waiting_agents() == 1)
    kill(process)
    workspace.go()
    until(lambda: not any(map(is_alive, workspace.children())))
    for folder in list(workspace.temporary.iterdir()):
        folder.rename(folder.with_name("taken-away"))
    workspace.behave()
    workspace.build("-j", "1")
    assert sorted(workspace.calls().values()) == [1] * (workspace.needed - 1) + [1 + tools]
    (workspace.temporary / "taken-away").rename(workspace.temporary.parent / "elsewhere")
    observed = {tuple(arm["observed"]) for arms in workspace.rows().values() for arm in arms.values()}
    assert any("gardening:*" in names for names in observed) is not tools
    assert_finished(workspace, undisturbed if tools else workspace.lock())


def test_what_a_killed_script_case_has_printed_is_no_result(make: Callable[..., Workspace]) -> None:
    locks = []
    for name in ("killed", "undisturbed"):
        workspace = make(name)
        (workspace.root / "tests").mkdir()
        (workspace.root / "tests/scripts.yaml").write_text(
            "format: selftune.unit-tests/1\ncases:\n"
            "  - {id: slow, run: [python3, scripts/slow.py], checks: [{contains: begun}, {contains: done}]}\n"
        )
        (workspace.root / "scripts").mkdir()
        (workspace.root / "scripts/slow.py").write_text(
            "import time\nprint('begun', flush=True)\nopen('mark', 'w').close()\ntime.sleep(0.7)\nprint('done')\n"
        )
        if name == "killed":
            process = workspace.start("unit-tests")
            until(lambda workspace=workspace: list(workspace.temporary.glob("selftune-*/root/mark")))
            kill(process)
        assert workspace.report("unit-tests")["exit_code"] == 0
        assert (workspace.left_over(), workspace.in_flight()) == ([], [])
        locks.append(workspace.lock())
    assert locks[0] == locks[1]


def kill_at_random(workspace: Workspace, seed: int, jobs: int, longest: float) -> None:
    """Start and kill until a build comes to its end."""
    delays = random.Random(seed)
    workspace.behave({"mode": "slow", "seconds": 0.1})
    # On a slow machine a moment that lies before the first call would come again and again.
    for patience in itertools.count():
        process = workspace.start("-j", str(jobs))
        try:
            process.communicate(timeout=(0.3 + delays.random() * longest) * 1.1**patience)
            return
        except subprocess.TimeoutExpired:
            kill(process)


@pytest.mark.parametrize(("seed", "jobs"), [slow(1, 1), (2, 4)])
def test_kills_at_random_moments_cost_no_second_call(workspace: Workspace, undisturbed: bytes, seed: int, jobs: int) -> None:
    kill_at_random(workspace, seed, jobs, longest=0.7)
    assert set(workspace.calls().values()) == {1}
    assert len(workspace.calls()) == workspace.needed
    assert workspace.lock() == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 4])
@pytest.mark.parametrize("seed", range(10, 13))
def test_many_kills_at_random_moments_cost_no_second_call(
    make: Callable[..., Workspace], undisturbed: bytes, seed: int, jobs: int
) -> None:
    workspace = make()
    kill_at_random(workspace, seed, jobs, longest=0.5)
    assert set(workspace.calls().values()) == {1}
    assert len(workspace.calls()) == workspace.needed
    assert workspace.lock() == undisturbed
