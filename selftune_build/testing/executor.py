"""What every executor of a plugin has to hold to."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path
from typing import ClassVar

import pytest

from selftune_build.engine.executing.protocol import Executor, ExecutorType
from selftune_build.engine.executing.task import Probe, Site, done_in, encoded
from selftune_build.fingerprint.digest import digest_bytes, digest_json
from selftune_build.plugins.contain import Supplier
from selftune_build.plugins.guarded_executor import guarded_executor_type
from selftune_build.plugins.kinds import Kind, id_fault
from selftune_build.store.records import RecordStore
from selftune_build.testing.workspace import SkillWorkspace

_AGENT = """
import json, pathlib, sys
request = json.load(sys.stdin)
with open(pathlib.Path(__file__).parents[2] / "asked", "a") as book:
    book.write(request["call_id"] + "\\n")
used = [skill["name"] for skill in request["skills"]]
json.dump({"output": "DONE", "skills_used": used, "files_read": [], "tool_calls": []}, sys.stdout)
"""
_MANIFEST = """
version: 1
agent: house
agents: {house: {type: command, argv: [python3, agent.py], free: true}}
competitors: none
samples: {min: 2}
gates: {trigger-recall: {min: 0}}
"""
_CASES = 5
_PATIENCE_S = 120.0


class ExecutorContract:
    """Subclass it with `executor_type` and a fixture `url`: workers that see the files of this machine."""

    executor_type: ClassVar[ExecutorType]

    @pytest.fixture
    def executor(self, url: str) -> Iterator[Executor]:
        """The executor as the engine gets it."""
        opened = guarded_executor_type(self.executor_type, Supplier("plugin-under-test")).open(url)
        yield opened
        opened.close()

    @pytest.fixture
    def probe(self, tmp_path: Path) -> bytes:
        """Something to send: a question to which `seen` is the answer, and nothing is asked of anybody."""
        record = {"executor": "under test"}
        token = digest_json(record)
        store = tmp_path / "probed"
        RecordStore(store).write(token, record, durable=False)
        file = tmp_path / "file"
        file.write_bytes(b"seen")
        return encoded(Probe(Site(str(store), str(tmp_path), token, str(file), digest_bytes(b"seen"))))

    def test_its_id_is_the_scheme_of_a_url(self, url: str) -> None:
        """As `--executor ID://…`."""
        assert id_fault(Kind.EXECUTOR, self.executor_type.id) is None
        assert url.startswith(f"{self.executor_type.id}://")

    def test_it_has_workers(self, executor: Executor) -> None:
        """Else there is nothing to test."""
        assert executor.slots() > 0

    def test_every_worker_is_reached_and_answers(self, executor: Executor, probe: bytes) -> None:
        """Before the first sample, and to end everything."""
        answers = executor.everywhere(probe)
        assert answers
        assert {done_in(answer).outcome if isinstance(answer, bytes) else str(answer) for answer in answers.values()} == {"seen"}

    def test_what_is_sent_comes_back_as_what_the_worker_said(self, executor: Executor, probe: bytes) -> None:
        """More tasks than slots, all at once."""
        futures = [executor.submit(probe) for _ in range(2 * executor.slots() + 1)]
        done, late = wait(futures, _PATIENCE_S)
        assert (len(done), late) == (len(futures), set())
        assert {done_in(future.result()).outcome for future in futures} == {"seen"}

    def test_a_task_that_fails_is_an_error_of_that_task_alone(self, executor: Executor, probe: bytes) -> None:
        """And nothing that a worker is lost by."""
        assert executor.submit(b"no message of ours").exception(_PATIENCE_S) is not None
        assert done_in(executor.submit(probe).result(_PATIENCE_S)).outcome == "seen"

    def test_each_sample_is_asked_once_and_the_lock_is_that_of_a_build_without_it(
        self, url: str, skill_workspace: SkillWorkspace
    ) -> None:
        """With the real command, so the plugin has to be installed."""
        evals = [{"id": f"c{number}", "prompt": f"brew {number}", "should_trigger": True} for number in range(_CASES)]
        cases = json.dumps({"format": "selftune.evals/1", "cases": evals})
        skill_workspace.skill("brew", {"selftune.yaml": _MANIFEST, "agent.py": _AGENT, "evals/evals.yaml": cases})
        report = skill_workspace.report("brew", "--executor", url)
        assert (report["exit_code"], report["spend"]["agent_calls"]) == (0, 2 * _CASES)
        asked = Counter((skill_workspace.root.parent / "asked").read_text().split())
        assert (len(asked), set(asked.values())) == (2 * _CASES, {1})
        lock = skill_workspace.root / "brew/selftune.lock"
        by_workers = lock.read_bytes()
        lock.unlink()
        another = {"SELFTUNE_STORE": str(skill_workspace.root.parent / "another")}
        assert skill_workspace.report("brew", environment=another)["spend"]["agent_calls"] == 2 * _CASES
        assert lock.read_bytes() == by_workers
