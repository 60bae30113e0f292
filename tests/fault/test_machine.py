"""A clock that was set back or ahead, and file systems that nobody can write to."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fault.errands import Spot, build, built, findings, recover
from tests.fault.faulty import Faulty
from tests.fault.mounting import may_mount, read_only

YEAR_S = 365 * 86_400


@pytest.fixture
def spot(tmp_path: Path, faulty: Faulty) -> Spot:
    return Spot(tmp_path / "spot", faulty)


@pytest.mark.parametrize("clock_s", [-10 * YEAR_S, -3600, 10 * YEAR_S])
def test_whatever_the_clock_says_nothing_is_paid_twice_and_an_edit_is_seen(spot: Spot, clock_s: float) -> None:
    built(spot)
    lock = spot.workspace.lock()
    time.sleep(2.1)  # what is younger is not noted
    spot.done("build", "-y", "-j", "1")
    for _ in range(2):
        assert spot.build(fresh=False, clock_s=clock_s).status == 0
    assert (len(spot.workspace.ledger()), spot.workspace.lock()) == (1, lock)
    spot.edit("Read [soil]", "Always read [soil]")
    for shift in (clock_s, 0):
        assert spot.build(fresh=False, clock_s=shift).status == 0
    assert len(spot.workspace.ledger()) == 2
    for words in (["fsck"], ["gc", "--delete", "--alone"]):
        assert spot.selftune("store", *words, fresh=False, clock_s=clock_s).status == 0
    assert not list(findings(spot))
    (spot.workspace.root / "selftune.lock").unlink()
    assert spot.done("build", "-y")["spend"]["agent_calls"] == 0


@pytest.mark.parametrize("clock_s", [-10 * YEAR_S, 10 * YEAR_S])
def test_an_answer_that_was_left_behind_is_kept_whatever_the_clock_says(spot: Spot, clock_s: float) -> None:
    recover(spot)
    assert spot.build(fresh=False, clock_s=clock_s).status == 0
    assert (len(spot.workspace.ledger()), spot.workspace.in_flight()) == (1, [])


@pytest.fixture
def refused(spot: Spot) -> Callable[[Path, str], tuple[int, str]]:
    """Builds where a folder is on a read-only file system: a mounted one, or where that is not allowed, calls that answer so."""

    def refused(folder: Path, *words: str) -> tuple[int, str]:
        if may_mount(folder):
            ended = spot.workspace.build(*words, preexec_fn=read_only(folder))
            return ended.status, ended.said
        command = ["build", "-y", *words, "-C", str(spot.workspace.root)]
        ran = spot.faulty.run(command, spot.workspace.environment(), folder, fault="EROFS", number=1, sticky=True)
        return int(ran.status or 0), ran.said

    return refused


def test_on_a_read_only_store_nothing_is_paid_and_what_is_there_is_used(
    spot: Spot, refused: Callable[..., tuple[int, str]]
) -> None:
    build(spot)
    spot.workspace.store.mkdir()
    status, said = refused(spot.workspace.store)
    assert (status, spot.workspace.ledger()) == (4, [])
    assert "Read-only file system" in said
    assert str(spot.workspace.store) in said
    spot.done("build", "-y")
    lock = spot.workspace.lock()
    assert refused(spot.workspace.store)[0] == 0
    assert refused(spot.workspace.store, "verify", "--locked")[0] == 0
    (spot.workspace.root / "selftune.lock").unlink()
    assert refused(spot.workspace.store)[0] == 0
    assert (len(spot.workspace.ledger()), spot.workspace.lock()) == (1, lock)


def test_on_a_read_only_workspace_the_evidence_is_in_the_store(spot: Spot, refused: Callable[..., tuple[int, str]]) -> None:
    build(spot)
    status, said = refused(spot.workspace.root)
    assert (status, len(spot.workspace.ledger())) == (4, 1)
    assert "selftune.lock: Read-only file system" in said
    assert spot.done("build", "-y")["spend"]["agent_calls"] == 0


def test_a_temporary_folder_that_cannot_be_written_costs_nothing(spot: Spot, refused: Callable[..., tuple[int, str]]) -> None:
    build(spot)
    status, _said = refused(spot.workspace.temporary)
    assert (status in (0, 4), len(spot.workspace.ledger())) == (True, int(status == 0))
    assert spot.done("build", "-y")["exit_code"] == 0
    assert len(spot.workspace.ledger()) == 1
    shutil.rmtree(spot.workspace.temporary)
    assert json.loads(spot.workspace.lock())["version"] == 1
