"""Archives of the store as samples: only those speak whose staged tree is known."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from selftune_build.agents.embedded import EmbeddedAgent
from selftune_build.engine.judging.evidence import Evidence
from selftune_build.fingerprint.keys import call_id
from selftune_build.model.sample import Reply
from selftune_build.store.archive import Intent
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore
from tests.unit.engine.rows import spec


class Answering(EmbeddedAgent):
    """Whatever is in the archive is the answer; nothing is known of what was read."""

    def parse(self, raw: bytes) -> Reply:
        return Reply(raw.decode(), skills_used=("brew",))


def evidence(store: Path) -> Evidence:
    """As a new invocation sees the store."""
    return Evidence(SampleStore(store), RecordStore(store), Answering())


def paid(store: Path, row: Any) -> None:
    """One sample of a row, with the records that it names."""
    for digest, record in row.staged.records().items():
        RecordStore(store).write(digest, record, durable=False)
    staged = row.staged.tree
    intent = Intent(call_id(row.key, staged, 0), row.key, 0, "house", {}, staged, {}, "/w", "/h", 5, "now")
    with SampleStore(store).begin(row.key, intent, durable=False) as call:
        call.answer.write(b"Grind the beans")
        call.commit(cost={"cost_usd": "0.5"})


def test_a_sample_whose_staged_record_is_lost_counts_for_nothing_until_it_is_there_again(tmp_path: Path) -> None:
    row = spec()
    paid(tmp_path, row)
    assert len(evidence(tmp_path).samples(row)) == len(evidence(tmp_path).counted(row).samples) == 1
    shutil.move(tmp_path / "records", tmp_path / "elsewhere")
    lost = evidence(tmp_path)
    assert (lost.samples(row), lost.counted(row).samples) == ((), ())
    assert [str(cost) for cost in lost.costs] == ["0.5"]
    shutil.move(tmp_path / "elsewhere", tmp_path / "records")
    assert len(evidence(tmp_path).counted(row).samples) == 1
