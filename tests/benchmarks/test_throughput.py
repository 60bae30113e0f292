"""The benchmark of throughput, small: every answer is kept durably and all slots are used. No times."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from selftune_build.store.archive import Archive, decode
from tests.benchmarks import throughput

SLOTS = 8
CASES = 12


def test_every_answer_is_durable_and_all_slots_are_used(tmp_path: Path) -> None:
    """A call waits until as many have begun as there are slots: with fewer at once nobody would ever be answered."""
    begun = tmp_path / "begun"
    begun.mkdir()
    folder = shlex.quote(str(begun))
    wait = f"touch {folder}/$$; while [ $(ls {folder} | wc -l) -lt {SLOTS} ]; do sleep 0.05; done"
    throughput.workspace(tmp_path / "brew", CASES, agent=["sh", "-c", f"{wait}; printf %s '{throughput.ANSWER}'"])
    ran = throughput.build(tmp_path / "brew", SLOTS)
    assert ran.answers == CASES * throughput.ROUNDS
    archives = [decode(path.read_bytes(), Archive) for path in (tmp_path / "store").glob("samples/*/*/*.zst")]
    assert {json.loads(archive.raw)["output"] for archive in archives} == {"done"}
    # Of each call the intent, its name, the answer, the archive and its name; of each key the way to it.
    assert ran.fsyncs >= 5 * ran.answers + CASES


@pytest.mark.benchmark
def test_the_table_has_the_ideal_a_bare_loop_and_the_build() -> None:
    text = throughput.table(3, 2, seconds=0.01)
    print(text)
    names = [line.split(" | ")[0].strip("| ") for line in text.splitlines()[2:]]
    assert names == ["ideal", "bare loop", "`selftune build`", "build / bare loop"]
    assert [line.split("|")[5].strip() for line in text.splitlines()[2:5]] == ["3", "3", "3"]
