"""Builds whose samples are taken by the workers of a real Dask cluster; what was paid is read in the agent's own ledger."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from selftune_build.testing import SkillWorkspace

Make = Callable[..., Any]


def is_gone(process: int) -> bool:
    """Whether a process has ended: a zombie that nobody has waited for counts as well."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def once(calls: list[str]) -> bool:
    """Whether there is any, and each is there once."""
    return set(Counter(calls).values()) == {1}


def test_each_sample_is_asked_once_and_the_lock_is_that_of_a_build_without_workers(
    workspace: Make, cluster: Any, ledger: Any
) -> None:
    skill: SkillWorkspace = workspace(4, samples=2)
    report = skill.report("verify", "--executor", cluster.url)
    assert (report["exit_code"], report["spend"]["agent_calls"], report["spend"]["cost_usd"]) == (0, 8, 4.0)
    assert len(ledger.calls("asked")) == len(ledger.calls("answered")) == 8
    assert once(ledger.calls("asked"))
    assert set(ledger.workers()) <= {worker.pid for worker in cluster.workers}
    assert skill.run("store", "fsck").status == 0
    lock = skill.root / "brew/selftune.lock"
    taken_by_workers = lock.read_bytes()
    lock.unlink()
    local = skill.report("verify", environment={"SELFTUNE_STORE": str(skill.root.parent / "another")})
    assert (local["spend"]["agent_calls"], lock.read_bytes()) == (8, taken_by_workers)


def test_where_no_sample_is_missing_no_worker_is_looked_for(workspace: Make, cluster: Any, ledger: Any) -> None:
    skill = workspace(1)
    skill.report("verify")
    nowhere = ["verify", "--executor", "dask://127.0.0.1:9"]
    assert (skill.report(*nowhere)["exit_code"], len(ledger.calls("asked"))) == (0, 1)
    (skill.root / "brew/selftune.lock").unlink()
    assert (skill.report(*nowhere)["exit_code"], len(ledger.calls("asked"))) == (0, 1)
    assert skill.report("verify", "--resample", "1", "--dry-run", "--executor", "dask://127.0.0.1:9")["exit_code"] in (0, 3)


def test_the_first_interrupt_finishes_what_runs_and_keeps_it(
    workspace: Make, cluster: Any, start_build: Make, ledger: Any
) -> None:
    skill = workspace(4)
    ledger.hold()
    build = start_build(skill, "--executor", cluster.url, "-j", "1")
    cluster.wait(lambda: ledger.calls("asked"))
    build.interrupt()
    ledger.release()
    status, report = build.end()
    assert (status, report["exit_code"]) == (130, 130)
    assert len(ledger.calls("asked")) == len(ledger.calls("answered")) == len(skill.archives()) == 1
    status, report = start_build(skill, "--executor", cluster.url).end()
    assert (status, report["spend"]["agent_calls"]) == (0, 3)
    assert once(ledger.calls("asked"))


def test_a_build_that_is_ended_ends_its_agents_on_the_workers(
    workspace: Make, cluster: Any, start_build: Make, ledger: Any
) -> None:
    skill = workspace(3)
    ledger.hold()
    build = start_build(skill, "--executor", cluster.url)
    cluster.wait(lambda: len(ledger.processes()) == 2)
    build.process.terminate()  # what a second Ctrl-C does
    status, _ = build.end()
    assert status == 130
    cluster.wait(lambda: all(is_gone(process) for process in ledger.processes()))
    assert [worker.poll() for worker in cluster.workers] == [None, None]
    assert (skill.archives(), len(ledger.calls("asked"))) == ([], 2)
    cluster.wait(lambda: not list(skill.root.parent.glob("*-store/samples/*/*/*.wip")))


def test_a_build_that_is_killed_leaves_its_calls_to_the_next(
    workspace: Make, cluster: Any, start_build: Make, ledger: Any
) -> None:
    skill = workspace(2)
    ledger.hold()
    killed = start_build(skill, "--executor", cluster.url, "-j", "1")
    cluster.wait(lambda: ledger.calls("asked"))
    killed.process.kill()
    killed.process.wait()
    build = start_build(skill, "--executor", cluster.url)
    ledger.release()
    status, report = build.end()
    assert (status, report["spend"]["agent_calls"]) == (0, 1)
    assert once(ledger.calls("asked"))


def test_the_budget_is_the_builds(workspace: Make, cluster: Any, ledger: Any) -> None:
    report = workspace(5).report("verify", "--executor", cluster.url, "--max-calls", "3")
    assert (report["exit_code"], len(ledger.calls("asked"))) == (3, 3)


def test_scripts_of_the_package_run_on_workers(skill_workspace: SkillWorkspace, cluster: Any) -> None:
    case = '{id: adds, run: [sh, scripts/add.sh], setup: [[sh, -c, "echo 2 > two"]], checks: [{contains: "4"}]}'
    files = {
        "scripts/add.sh": 'echo "$(($(cat two) + 2)) by $PPID"\n',
        "tests/units.yaml": f"format: selftune.unit-tests/1\ncases:\n  - {case}\n",
    }
    skill = skill_workspace.skill("brew", files)
    report = skill.report("brew:unit-tests", "--executor", cluster.url)
    assert [stage["state"] for stage in report["packages"][0]["stages"] if stage["run"]] == ["built"]
    (archive,) = skill.archives()
    assert archive.raw in {f"4 by {worker.pid}\n".encode() for worker in cluster.workers}


@pytest.mark.slow
def test_an_agent_that_outlives_its_worker_answers_and_its_answer_is_taken_from_the_store(
    workspace: Make, start_cluster: Make, start_build: Make, ledger: Any
) -> None:
    skill, cluster = workspace(4), start_cluster(2)
    ledger.hold()
    build = start_build(skill, "--executor", cluster.url)
    cluster.wait(lambda: len(ledger.calls("asked")) == 2)
    cluster.kill(cluster.workers[0])
    ledger.release()
    status, report = build.end()
    assert (status, report["spend"]["agent_calls"]) == (0, 4)
    assert len(ledger.calls("asked")) == len(ledger.calls("answered")) == 4
    assert once(ledger.calls("asked"))


@pytest.mark.slow
def test_a_call_whose_agent_died_with_its_worker_is_asked_again_and_counts_as_spent(
    workspace: Make, start_cluster: Make, start_build: Make, ledger: Any
) -> None:
    skill, cluster = workspace(3), start_cluster(2)
    ledger.hold()
    build = start_build(skill, "--executor", cluster.url, "-j", "1")
    cluster.wait(ledger.processes)
    (agent,), (parent,) = ledger.processes(), ledger.workers()
    cluster.kill(next(worker for worker in cluster.workers if worker.pid == parent))
    os.kill(agent, signal.SIGKILL)
    ledger.release()
    status, report = build.end()
    assert status == 0
    assert len(ledger.calls("asked")) == report["spend"]["agent_calls"] == 4
    assert len(ledger.calls("answered")) == 3
    assert once(ledger.calls("answered"))
    assert [attempt.kind for attempt in skill.attempts()] == ["unknown"]


@pytest.mark.slow
def test_without_any_worker_left_the_build_waits_for_one_that_comes(
    workspace: Make, start_cluster: Make, start_build: Make, ledger: Any
) -> None:
    skill, cluster = workspace(3), start_cluster(1)
    ledger.hold()
    build = start_build(skill, "--executor", cluster.url)
    cluster.wait(lambda: ledger.calls("asked"))
    cluster.kill(cluster.workers[0])
    ledger.release()
    cluster.add(1)
    status, report = build.end()
    assert (status, report["spend"]["agent_calls"]) == (0, 3)
    assert once(ledger.calls("asked"))


@pytest.mark.slow
def test_every_answered_sample_is_paid_once_by_eight_workers_of_which_five_are_killed(
    workspace: Make, start_cluster: Make, start_build: Make, ledger: Any
) -> None:
    skill, cluster = workspace(60, seconds=0.5), start_cluster(8)
    build = start_build(skill, "--executor", cluster.url)
    chance = random.Random(8)
    for number, worker in enumerate(chance.sample(cluster.workers, 5)):
        cluster.wait(lambda answers=8 * number + 3: len(ledger.calls("answered")) >= answers)
        cluster.kill(worker)
        orphans = [each for each, parent in zip(ledger.processes(), ledger.workers(), strict=True) if parent == worker.pid]
        if number % 2 and orphans:
            with suppress(ProcessLookupError):
                os.kill(orphans[-1], signal.SIGKILL)  # every other time what it asked is gone as well
    status, report = build.end()
    assert status == 0
    assert len({archive.call_id for archive in skill.archives()}) == len(skill.archives()) == 60
    assert once(ledger.calls("answered"))
    assert len(ledger.calls("answered")) >= 60 - 2  # who was killed may have answered without having it in his books
    lost = Counter(attempt.call_id for attempt in skill.attempts())
    asked = Counter(ledger.calls("asked"))
    assert [call for call, times in asked.items() if times > 1 + lost[call]] == []
    assert len(ledger.calls("asked")) <= report["spend"]["agent_calls"] == 60 + sum(lost.values())
    assert skill.run("store", "fsck").status == 0
