"""A pool between threads and between processes: slots, pauses, calls per minute, and what becomes of them after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from selftune_build.errors import StoreError
from selftune_build.model.manifest import PoolSetting
from selftune_build.store.pool import Pool, Pools, PoolShut, Turn, folder_name, lasting, now_ms
from selftune_build.store.pool_state import PoolState, decoded, encoded

CHECKOUT = Path(__file__).parents[3]
CROWD = """
import os, sys, threading, time
from pathlib import Path
from selftune_build.model.manifest import PoolSetting
from selftune_build.store.pool import Pools
root, ledger, processes, concurrent = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
setting = PoolSetting(concurrent=concurrent or None)

def note(word):
    with ledger.open("a") as file:
        file.write(f"{word} {time.time_ns() // 1_000_000}\\n")

for _ in range(processes):
    if os.fork() == 0:
        turn = Pools(root).of("house", None, setting).enter(lambda line: None, threading.Event())
        note("in")
        time.sleep(0.01)
        note("out")
        turn.answered()
        turn.close()
        os._exit(0)
for _ in range(processes):
    assert os.wait()[1] == 0
"""
HOLD = """
import sys, threading
from pathlib import Path
from selftune_build.model.manifest import PoolSetting
from selftune_build.store.pool import Pools
turn = Pools(Path(sys.argv[1])).of("house", None, PoolSetting(concurrent=1)).enter(print, threading.Event())
print("held", flush=True)
sys.stdin.read()
"""


def pool(root: Path, **limits: int) -> Pool:
    return Pools(root).of("house", None, PoolSetting(**limits))


def entered(of: Pool, told: list[str] | None = None) -> Turn:
    turn = of.enter((told if told is not None else []).append, threading.Event())
    assert turn is not None
    return turn


def folder(root: Path) -> Path:
    return root / "pools" / folder_name("house", None)


def write(root: Path, state: PoolState) -> None:
    folder(root).mkdir(parents=True, exist_ok=True)
    (folder(root) / "state.json").write_bytes(encoded(state))


def read(root: Path) -> PoolState:
    return decoded((folder(root) / "state.json").read_bytes(), now_ms())


def crowd(root: Path, processes: int, concurrent: int = 0) -> list[tuple[str, int]]:
    """What so many processes do that want a call at the same time, in order, with the moment."""
    ledger = root / "ledger"
    argv = [sys.executable, "-c", CROWD, str(root), str(ledger), str(processes), str(concurrent)]
    subprocess.run(argv, cwd=CHECKOUT, check=True, timeout=120)
    return [(word, int(moment)) for word, moment in map(str.split, ledger.read_text().splitlines())]


def inside(events: list[tuple[str, int]]) -> list[int]:
    """How many were inside after each event."""
    counts, now = [], 0
    for word, _ in events:
        now += 1 if word == "in" else -1
        counts.append(now)
    return counts


def test_without_limit_and_refusal_nothing_is_written(tmp_path: Path) -> None:
    of = pool(tmp_path)
    turns = [entered(of) for _ in range(100)]
    for turn in turns:
        turn.answered()
        turn.close()
    assert list(tmp_path.iterdir()) == []


def test_thirty_two_processes_keep_to_the_calls_at_once(tmp_path: Path) -> None:
    events = crowd(tmp_path, 32, concurrent=3)
    assert len(events) == 64
    assert max(inside(events)) <= 3


def test_thirty_two_processes_wait_out_a_pause_and_then_do_not_rush_in_together(tmp_path: Path) -> None:
    until = now_ms() + 1_500
    write(tmp_path, PoolState(noted_ms=now_ms(), not_before_ms=until, refusals=1, width=1))
    events = crowd(tmp_path, 32)
    assert len(events) == 64
    assert min(moment for _, moment in events) >= until
    assert inside(events)[:2] == [1, 0]  # the next is let in when the first was answered
    # One more at once with each round that was answered: 1, 2, 2, 3, 3, 3 …
    assert max(inside(events)) <= 9


def test_a_killed_process_leaves_no_slot_taken(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        told: list[str] = []
        waiter = threading.Thread(target=lambda: entered(pool(tmp_path, concurrent=1), told).close())
        waiter.start()
        while not told:
            time.sleep(0.005)
        assert f"one by process {holder.pid}" in told[0]
        os.kill(holder.pid, signal.SIGKILL)
        waiter.join(60)
    assert not waiter.is_alive()
    assert len(told) == 1


def test_threads_of_one_process_wait_for_each_other_without_a_word(tmp_path: Path) -> None:
    of, told = pool(tmp_path, concurrent=1), list[str]()
    first = entered(of)
    waiter = threading.Thread(target=lambda: entered(of, told).close())
    waiter.start()
    waiter.join(0.2)
    assert waiter.is_alive()
    first.close()
    waiter.join(60)
    assert told == []


def test_a_wait_ends_when_told_to_stop_for_whoever_waits(tmp_path: Path) -> None:
    of, stop = pool(tmp_path, concurrent=1), threading.Event()
    held, found = entered(of), list[Turn | None]()
    waiters = [threading.Thread(target=lambda: found.append(of.enter(print, stop))) for _ in range(3)]
    for waiter in waiters:
        waiter.start()
    stop.set()
    for waiter in waiters:
        waiter.join(60)
    assert found == [None] * 3
    held.close()


def test_a_refusal_is_known_to_a_process_that_was_not_refused(tmp_path: Path) -> None:
    turn = entered(pool(tmp_path))
    turn.refused(600.0)
    turn.close()
    told, stop = list[str](), threading.Event()

    def tell(line: str) -> None:
        told.append(line)
        stop.set()

    assert pool(tmp_path).enter(tell, stop) is None
    assert told == ["house asked for a pause: waiting 10 min (Ctrl-C ends it, and what was answered is kept)"]


def test_a_pause_longer_than_anybody_waits_lets_nobody_in(tmp_path: Path) -> None:
    turn = entered(pool(tmp_path))
    turn.refused(7200.0)
    with pytest.raises(PoolShut) as caught:
        entered(pool(tmp_path))
    assert 7100 < caught.value.seconds <= 7200
    turn.close()


def test_a_refusal_of_one_model_says_nothing_of_another(tmp_path: Path) -> None:
    entered(Pools(tmp_path).of("house", "large", PoolSetting())).refused(7200.0)
    entered(Pools(tmp_path).of("house", "small", PoolSetting())).close()
    with pytest.raises(PoolShut):
        entered(Pools(tmp_path).of("house", "large", PoolSetting()))


def test_the_calls_of_a_minute_are_shared(tmp_path: Path) -> None:
    one, other = pool(tmp_path, per_minute=1), pool(tmp_path, per_minute=1)
    entered(one).close()
    told, stop = list[str](), threading.Event()

    def tell(line: str) -> None:
        told.append(line)
        stop.set()

    assert other.enter(tell, stop) is None
    assert "house gets 1 call per minute" in told[0]


def test_the_tightest_limit_counts(tmp_path: Path) -> None:
    pools, stop = Pools(tmp_path), threading.Event()
    pools.of("house", None, PoolSetting(concurrent=4))
    narrow = pools.of("house", None, PoolSetting(concurrent=1))
    turn = entered(pools.of("house", None, PoolSetting()))
    stop.set()
    assert narrow.enter(print, stop) is None
    turn.close()


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"{" * 4096, b'{"format": "selftune.pool/9"}', b"x" * 100_000])
def test_a_damaged_state_holds_nobody_up_and_is_written_anew(content: bytes, tmp_path: Path) -> None:
    folder(tmp_path).mkdir(parents=True)
    (folder(tmp_path) / "state.json").write_bytes(content)
    turn = entered(pool(tmp_path))
    turn.refused(30.0)
    turn.close()
    assert read(tmp_path).width == 1


def test_a_refusal_that_cannot_be_written_holds_for_this_process(tmp_path: Path) -> None:
    of = pool(tmp_path)
    turn = entered(of)
    (tmp_path / "pools").write_text("in the way")
    turn.refused(7200.0)
    turn.close()
    with pytest.raises(PoolShut):
        entered(of)


def test_a_slot_that_cannot_be_opened_is_an_error_with_its_path(tmp_path: Path) -> None:
    folder(tmp_path).mkdir(parents=True)
    (folder(tmp_path) / "1.slot").symlink_to("elsewhere")
    with pytest.raises(StoreError, match=r"1\.slot"):
        entered(pool(tmp_path, concurrent=1))


@pytest.mark.parametrize(
    ("service", "model"), [("house", None), ("../..", "x/y\0"), ("", ""), ("Ü" * 500, None), ("a" * 99, "b")]
)
def test_any_name_makes_a_folder_of_one_part(service: str, model: str | None) -> None:
    name = folder_name(service, model)
    assert len(name) < 60
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_a_slot_is_let_go_of_where_the_calls_of_a_minute_cannot_be_counted(tmp_path: Path) -> None:
    (folder(tmp_path) / "guard").mkdir(parents=True)
    with pytest.raises(StoreError, match="guard"):
        entered(pool(tmp_path, concurrent=1, per_minute=60))
    entered(pool(tmp_path, concurrent=1)).close()


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (5_399, "90 min"), (86_400, "24 h")])
def test_a_wait_is_told_in_units_that_suit_it(seconds: float, words: str) -> None:
    assert lasting(seconds) == words
