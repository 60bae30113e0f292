"""Which answers count that were written before their asker was ended."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from selftune_build.agents.embedded import EmbeddedAgent
from selftune_build.agents.protocol import AgentFailure, Traits
from selftune_build.engine.judging.evidence import Evidence
from selftune_build.engine.paying.asking import Ended
from selftune_build.engine.paying.budget import Purse
from selftune_build.engine.paying.keeping import Means, is_whole
from selftune_build.model.case import Arm
from selftune_build.model.sample import ErrorKind, EvidenceOrigin, Reply
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore
from tests.unit.engine.rows import spec


class Saying(EmbeddedAgent):
    """An answer ends with a dot; one that begins with `error` says that there is none."""

    def parse(self, raw: bytes) -> Reply:
        if raw == b"Too much.":
            raise ArithmeticError("too large a number")
        if raw.startswith(b"error"):
            raise AgentFailure(ErrorKind.REPORTED, raw.decode())
        if not raw.endswith(b"."):
            raise AgentFailure(ErrorKind.PROTOCOL, "no end")
        return Reply(raw.decode())


@pytest.fixture
def means(tmp_path: Path) -> Means:
    evidence = Evidence(SampleStore(tmp_path), RecordStore(tmp_path), Saying())
    stop, cancel = threading.Event(), threading.Event()
    traits = Traits(EvidenceOrigin.LIVE)
    return Means(evidence, lambda *arguments: Ended(), traits, Purse(), stop, cancel, lambda message: None, "house")


@pytest.mark.parametrize(
    ("raw", "whole"),
    [(b"All of it.", True), (b"Half of", False), (b"", False), (b"error: busy", True), (b"Too much.", False)],
)
def test_an_answer_counts_where_it_is_whole_or_says_that_there_is_none(means: Means, raw: bytes, whole: bool) -> None:
    assert is_whole(spec(), raw, means) is whole


def test_what_an_agent_read_that_places_files_while_it_works_went_with_its_process(means: Means) -> None:
    lazy = replace(means, traits=replace(means.traits, lazy=True))
    assert not is_whole(spec(), b"All of it.", lazy)
    assert not is_whole(spec(), b"error: busy", lazy)


def test_how_a_script_would_have_ended_nobody_knows(means: Means) -> None:
    assert not is_whole(replace(spec(), arm=Arm.SCRIPT), b"All of it.", means)
