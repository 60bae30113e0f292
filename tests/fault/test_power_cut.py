"""Power cuts: a run is replayed on a model of a disk (`disk.py`), cut short anywhere, and the next real run starts from that."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.fault.course import Course
from tests.fault.disk import Disk, Left
from tests.fault.errands import ERRANDS, Errand, Spot
from tests.fault.faulty import FULL

CUTS = 3
"""How many places, where it is not all of them."""


def lost(trace: Sequence[dict[str, Any]], ledger: bytes) -> Counter[str]:
    """The calls whose agent had been started and whose answer nobody had made durable yet."""
    acknowledged: Counter[str] = Counter()
    written: set[str] = set()
    for step in trace:
        path = step["paths"][0]
        if path.endswith(".wip") and step["name"] == "write" and not step["own"]:
            written.add(path)
        elif path in written and step["name"] == "fsync":
            written.remove(path)
            acknowledged[f"sha256:{Path(path).stem}"] += 1
    asked = Counter(line.split(b'"call_id": "', 1)[1].split(b'"', 1)[0].decode() for line in ledger.splitlines())
    return asked - acknowledged


def after_the_cut(spot: Spot, disk: Disk, left: Left, seed: int) -> None:
    """What is there when the power is back; what the agent's provider has counted is not on our disk."""
    ledger = disk.content(spot.folder / "faults/ledger")
    shutil.rmtree(spot.folder)
    disk.cut(spot.folder, left, seed)
    if ledger:
        (spot.folder / "faults/ledger").write_bytes(ledger)
    if left is not Left.ALL and seed % 2:  # as where it is in memory, or emptied at start
        shutil.rmtree(spot.folder / "tmp", ignore_errors=True)
    (spot.folder / "tmp").mkdir(exist_ok=True)
    for mark in spot.folder.glob("tmp/*/.stage"):  # the machine that went on knows that it was started anew
        mark.write_text("another start")


def cut(track: Course, left: Left) -> None:
    spot, errand = track.fresh(), track.errand
    before = Counter(spot.workspace.calls())
    disk = Disk(spot.folder)
    trace = spot.selftune(*errand.words(spot), fault="KILL", trace=True).trace
    places = range(len(trace) + 1)
    chosen = places if FULL else random.Random(f"{errand.name} {left}").sample(places, min(CUTS, len(places)))
    for number, step in enumerate([None, *trace]):
        if step is not None:
            disk.do(step)
        if number in chosen:
            after_the_cut(spot, disk, left, number)
            context = (errand.name, left, number, step)
            track.assert_old_or_new(spot, context)
            track.settle(spot, context, lost(trace[:number], disk.content(spot.folder / "faults/ledger")) - before)


@pytest.mark.slow
@pytest.mark.parametrize("errand", ERRANDS, ids=lambda errand: errand.name)
@pytest.mark.parametrize("left", Left)
def test_what_was_answered_and_synced_survives_a_power_cut(
    course: Callable[[Errand], Course], errand: Errand, left: Left
) -> None:
    cut(course(errand), left)
