"""Which sample is taken next."""

from __future__ import annotations

import threading
from pathlib import Path

from selftune_build.agents.embedded import EmbeddedAgent
from selftune_build.agents.protocol import AgentFailure, Traits
from selftune_build.agents.staging import Staging
from selftune_build.engine.judging.evidence import Evidence
from selftune_build.engine.paying.asking import Ended
from selftune_build.engine.paying.budget import Purse
from selftune_build.engine.paying.keeping import Means
from selftune_build.engine.paying.sampling import Taken, TakenKind, take_sample
from selftune_build.model.sample import ErrorKind, EvidenceOrigin, Reply
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore
from tests.unit.engine.rows import spec


class Reading(EmbeddedAgent):
    """Reads every answer until it becomes `strict`: then only those that end with a dot."""

    strict = False

    def parse(self, raw: bytes) -> Reply:
        if self.strict and not raw.endswith(b"."):
            raise AgentFailure(ErrorKind.PROTOCOL, "no end")
        return Reply(raw.decode(), skills_used=(), files_read=(), tool_calls=())


def test_an_answer_that_nobody_can_read_any_more_is_kept_and_the_next_has_a_place_of_its_own(tmp_path: Path) -> None:
    agent = Reading("house")
    evidence = Evidence(SampleStore(tmp_path), RecordStore(tmp_path), agent)
    row, answers = spec(), iter([b"of long ago", b"of today."])

    def ask(_spec: object, _call: str, _index: int, _stage: Staging, answer: object) -> Ended:
        answer.write(next(answers))  # type: ignore[attr-defined]
        return Ended()

    events = threading.Event(), threading.Event()
    means = Means(evidence, ask, Traits(EvidenceOrigin.LIVE, lazy=True), Purse(), *events, lambda message: None, "house")
    assert take_sample(row, 1, (), means) == Taken(TakenKind.ANSWERED, 0)
    agent.strict = True
    evidence.forget(row)
    assert take_sample(row, 1, (), means) == Taken(TakenKind.ANSWERED, 1)
    assert [archive.raw for archive in evidence.store.archives(row.key)] == [b"of long ago", b"of today."]
