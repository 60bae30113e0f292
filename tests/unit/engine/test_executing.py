"""Executors that lose, forget and repeat: what a build makes of it, with workers that really ask an agent."""

from __future__ import annotations

import io
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from selftune_build.engine.build import build
from selftune_build.engine.executing import sending
from selftune_build.engine.executing.cluster import Cluster
from selftune_build.engine.executing.task import message_in
from selftune_build.engine.load import load_universe
from selftune_build.engine.request import BuildRequest, Surroundings
from selftune_build.errors import UndecidedError
from selftune_build.model.report import Report
from selftune_build.plugins import work
from selftune_build.report.progress import Progress
from selftune_build.store.location import find_store
from selftune_build.testing import SkillWorkspace

AGENT = """
import json, pathlib, sys
request = json.load(sys.stdin)
with open(pathlib.Path(__file__).parents[2] / "asked", "a") as book:
    book.write(request["call_id"] + "\\n")
if "break" in request["prompt"]:
    sys.exit("broken")
used = [skill["name"] for skill in request["skills"]]
usage = {"input_tokens": 1, "output_tokens": 1, "cost_usd": 0.5}
json.dump({"output": "DONE", "skills_used": used, "files_read": [], "tool_calls": [], "usage": usage}, sys.stdout)
"""
MANIFEST = {
    "version": 1,
    "agent": "house",
    "agents": {"house": {"type": "command", "argv": ["python3", "agent.py"]}},
    "competitors": "none",
    "samples": {"min": 1},
    "gates": {"trigger-recall": {"min": 0}},
}
CASES = 3
Run = Callable[[bytes], bytes]


class Workers:
    """Two workers, which are threads; `run` is what becomes of a task."""

    def __init__(self, run: Run = work) -> None:
        self._run = run
        self._pool = ThreadPoolExecutor(2)
        self.sent: list[bytes] = []

    def slots(self) -> int:
        return 2

    def submit(self, content: bytes) -> Future[bytes]:
        self.sent.append(content)
        return self._pool.submit(self._run, content)

    def everywhere(self, content: bytes) -> Mapping[str, bytes | BaseException]:
        return {"one": work(content), "two": work(content)}

    def close(self) -> None:
        self._pool.shutdown()


@pytest.fixture
def skill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SkillWorkspace:
    (tmp_path / "workspace").mkdir()
    workspace = SkillWorkspace(tmp_path / "workspace")
    monkeypatch.setenv("SELFTUNE_STORE", workspace.environment["SELFTUNE_STORE"])
    return workspace


def prepare(skill: SkillWorkspace, prompt: str = "brew") -> None:
    evals = [{"id": f"c{number}", "prompt": f"{prompt} {number}", "should_trigger": True} for number in range(CASES)]
    cases = json.dumps({"format": "selftune.evals/1", "cases": evals})
    skill.skill("brew", {"selftune.yaml": json.dumps(MANIFEST), "agent.py": AGENT, "evals/evals.yaml": cases})


def built(skill: SkillWorkspace, workers: Workers, stop: threading.Event | None = None) -> Report:
    universe = load_universe(skill.root)
    cluster = Cluster("test://", lambda url: workers, find_store(skill.root), skill.root, None)
    with cluster:
        progress = Progress(io.StringIO(), quiet=True)
        around = Surroundings(progress, lambda price: None, stop=stop or threading.Event(), cluster=cluster)
        return build(universe, BuildRequest(skill.root), around)


def asked(skill: SkillWorkspace) -> list[int]:
    """How often each call was asked."""
    book = skill.root.parent / "asked"
    return list(Counter(book.read_text().split()).values()) if book.exists() else []


def twice(content: bytes) -> bytes:
    work(content)
    return work(content)


def forgetful(content: bytes) -> bytes:
    work(content)
    raise ConnectionError("the worker is gone")


def test_a_task_that_is_run_twice_asks_once(skill: SkillWorkspace) -> None:
    prepare(skill)
    report = built(skill, Workers(twice))
    assert (report.exit_code, report.spend.agent_calls, asked(skill)) == (0, CASES, [1] * CASES)
    assert str(report.spend.cost_usd) == "1.5"


def test_what_a_worker_kept_before_it_was_lost_is_found(skill: SkillWorkspace) -> None:
    prepare(skill)
    workers = Workers(forgetful)
    report = built(skill, workers)
    assert (report.exit_code, asked(skill), len(workers.sent)) == (0, [1] * CASES, CASES)
    assert str(report.spend.cost_usd) == "1.5"


def test_a_task_that_was_never_begun_is_sent_again_and_was_not_paid(skill: SkillWorkspace) -> None:
    prepare(skill)
    seen: set[bytes] = set()

    def lost_at_first(content: bytes) -> bytes:
        if content not in seen:
            seen.add(content)
            raise ConnectionError
        return work(content)

    workers = Workers(lost_at_first)
    report = built(skill, workers)
    assert (report.exit_code, report.spend.agent_calls, asked(skill)) == (0, CASES, [1] * CASES)
    assert len(workers.sent) == 2 * CASES


def test_workers_that_are_always_lost_leave_the_samples_missing(skill: SkillWorkspace) -> None:
    def lost(content: bytes) -> bytes:
        raise ConnectionError("gone again")

    prepare(skill)
    report = built(skill, Workers(lost))
    assert (report.exit_code, asked(skill), str(report.spend.cost_usd)) == (3, [], "0")
    assert "workers were lost before they began: ConnectionError: gone again" in str(report)


@pytest.mark.parametrize("run", [work, twice, forgetful], ids=["sound", "twice", "forgetful"])
def test_a_failed_attempt_is_one_of_three_whatever_becomes_of_the_worker(
    run: Run, skill: SkillWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("selftune_build.engine.paying.trying.SAMPLE_BACKOFF_S", 0)
    prepare(skill, "break")
    report = built(skill, Workers(run))
    assert (report.exit_code, asked(skill)) == (3, [3] * CASES)
    assert report.spend.agent_calls == 3 * CASES == len(skill.attempts())


def test_a_worker_whose_agent_is_another_one_is_not_used(skill: SkillWorkspace) -> None:
    prepare(skill)
    changed = iter([True])

    def elsewhere(content: bytes) -> bytes:
        if next(changed, False):
            (skill.root / "brew/agent.py").write_text(AGENT + "# another version\n")
        return work(content)

    report = built(skill, Workers(elsewhere))
    assert (report.exit_code, asked(skill)) == (3, [])
    assert "the agent `house` is another one: install the same versions on every worker" in str(report)


class Empty(Workers):
    """Its workers go as soon as there is something to do; `then` is told."""

    def __init__(self) -> None:
        super().__init__()
        self.then: Callable[[], object] = lambda: None
        self.futures: list[Future[bytes]] = []

    def slots(self) -> int:
        return 0 if self.sent else 2

    def submit(self, content: bytes) -> Future[bytes]:
        self.sent.append(content)
        self.futures.append(Future())
        self.then()
        return self.futures[-1]


def test_what_waits_for_a_worker_when_the_build_is_to_stop_is_taken_back_and_was_not_spent(skill: SkillWorkspace) -> None:
    prepare(skill)
    stop = threading.Event()
    workers = Empty()
    workers.then = stop.set
    report = built(skill, workers, stop)
    assert (report.exit_code, report.spend.agent_calls, asked(skill)) == (130, 0, [])
    assert [future.cancelled() for future in workers.futures] == [True] * len(workers.sent)


def test_where_no_worker_is_left_it_is_not_waited_for_ever(skill: SkillWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selftune_build.engine.executing.cluster.EXECUTOR_EMPTY_S", 0)
    monkeypatch.setattr("selftune_build.engine.executing.cluster.EXECUTOR_POLL_S", 0.01)
    prepare(skill)
    report = built(skill, Empty())
    assert (report.exit_code, asked(skill)) == (3, [])
    assert "test:// has had no worker for 0 s" in str(report)


def test_a_sample_that_is_kept_and_not_seen_here_is_a_fault_of_the_store(
    skill: SkillWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "EXECUTOR_VISIBLE_S", 0)

    def hidden(content: bytes) -> bytes:
        done = work(content)
        for path in find_store(skill.root).glob("samples/*/*/*.zst"):
            path.rename(path.with_suffix(".hidden"))
        return done

    prepare(skill)
    report = built(skill, Workers(hidden))
    assert report.exit_code == 4
    assert "which is not seen here" in str(report)


class Blind(Workers):
    """One of its workers breaks when it is asked for anything."""

    def everywhere(self, content: bytes) -> Mapping[str, bytes | BaseException]:
        return {"one": work(content), "two": ModuleNotFoundError("No module named 'selftune_build'")}


def test_one_worker_that_cannot_work_refuses_the_build_and_leaves_no_token(skill: SkillWorkspace) -> None:
    prepare(skill)
    with pytest.raises(UndecidedError, match="the worker two cannot work: ModuleNotFoundError") as caught:
        built(skill, Blind())
    assert (caught.value.code, asked(skill)) == ("executor-refused", [])
    assert list(find_store(skill.root).glob("records/*/*")) == []


def test_what_is_sent_is_the_sample_and_nothing_of_how_it_is_judged(skill: SkillWorkspace) -> None:
    prepare(skill)
    workers = Workers()
    built(skill, workers)
    tasks: Iterator[Any] = map(message_in, workers.sent)
    assert {(task.index, task.number, task.case.checks, task.package) for task in tasks} == {(0, 1, (), "brew")}
    assert max(map(len, workers.sent)) < 2_000
