"""What a killed process leaves in flight: waited for, used for free, or counted as spent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from selftune_build.errors import UndecidedError
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.store.archive import Intent
from selftune_build.store.guard import machine
from selftune_build.store.samples import SampleStore

KEY = digest_bytes(b"a static key")
CALL = digest_bytes(b"a call")
CHECKOUT = Path(__file__).parents[3]

PARENT = """
import os, subprocess, sys
from pathlib import Path
import msgspec
from selftune_build.store.archive import Intent
from selftune_build.store.samples import SampleStore
intent = msgspec.json.decode(sys.argv[2].encode(), type=Intent)
call = SampleStore(Path(sys.argv[1])).begin(intent.static_key, intent)
subprocess.Popen([sys.executable, "-S", "-c", sys.argv[3]], stdout=call.answer, stderr=subprocess.DEVNULL, start_new_session=True)
print("started", flush=True)
os.kill(os.getpid(), 9)
"""
SLOW_ANSWER = """
import sys, time
for part in ("one ", "two ", "three"):
    time.sleep(0.25)
    sys.stdout.write(part)
    sys.stdout.flush()
"""


def intent(timeout_s: int = 20, started: datetime | None = None, machine: str = "") -> Intent:
    return Intent(
        call_id=CALL,
        static_key=KEY,
        index=0,
        agent="house",
        request={"prompt": "p"},
        staged="sha256:" + "7" * 64,
        initial={},
        workspace="/w",
        home="/h",
        timeout_s=timeout_s,
        started=(started or datetime.now(UTC)).isoformat(),
        machine=machine,
    )


def leave_orphan(root: Path, child: str, asked: Intent) -> None:
    command = [sys.executable, "-c", PARENT, str(root), msgspec.json.encode(asked).decode(), child]
    ended = subprocess.run(command, cwd=CHECKOUT, capture_output=True)
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, b"started\n")


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def store(tmp_path: Path, warnings: list[str]) -> SampleStore:
    return SampleStore(tmp_path, warnings.append)


def wip_of(store: SampleStore) -> Path:
    return store.folder(KEY) / f"{CALL.removeprefix('sha256:')}.wip"


def test_the_child_of_a_killed_process_is_waited_for_and_its_answer_is_free(store: SampleStore, tmp_path: Path) -> None:
    asked = intent()
    leave_orphan(tmp_path, SLOW_ANSWER, asked)
    told: list[str] = []
    (orphan,) = store.orphans(KEY, lambda raw: raw.endswith(b"three"), told.append)
    assert len(told) == 1
    assert (orphan.call is not None, orphan.raw, orphan.intent) == (True, b"one two three", asked)
    assert orphan.call is not None
    with orphan.call as call:
        call.commit()
    assert [each.raw for each in store.archives(KEY)] == [b"one two three"]
    assert not wip_of(store).exists()


def test_an_answer_that_was_there_already_is_not_waited_for(store: SampleStore, tmp_path: Path) -> None:
    leave_orphan(tmp_path, "print('x', end='')", intent())
    time.sleep(0.3)
    (orphan,) = store.orphans(KEY, lambda raw: raw == b"x", pytest.fail)
    assert orphan.call is not None
    assert orphan.call is not None
    orphan.call.close()


def test_half_an_answer_is_kept_as_an_unknown_outcome_and_counts_as_spent(store: SampleStore, tmp_path: Path) -> None:
    leave_orphan(tmp_path, "print('half', end='')", intent())
    (orphan,) = store.orphans(KEY, lambda raw: False)
    assert orphan.call is None
    (attempt,) = store.attempts(KEY, CALL)
    assert (attempt.kind, attempt.raw, attempt.number) == ("unknown", b"half", 1)
    assert store.orphans(KEY, lambda raw: False) == []
    with store.begin(KEY, intent()) as again:
        assert again.intent.call_id == CALL


def test_a_child_that_never_ends_is_waited_for_no_longer_than_its_limit(
    store: SampleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("selftune_build.store.orphan.STORE_ORPHAN_GRACE_S", 0.5)
    pid_file = tmp_path / "pid"
    code = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    leave_orphan(tmp_path, code, intent(timeout_s=1))
    started = time.monotonic()
    (orphan,) = store.orphans(KEY, lambda raw: False)
    os.kill(int(pid_file.read_text()), signal.SIGKILL)
    assert 0.2 < time.monotonic() - started < 3
    assert orphan.call is None


def test_a_clock_that_was_set_back_does_not_make_us_wait_for_ever(store: SampleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selftune_build.store.orphan.STORE_ORPHAN_GRACE_S", 0.2)
    with store.begin(KEY, intent(timeout_s=0, started=datetime.now(UTC) + timedelta(days=3650))):
        started = time.monotonic()
        store.orphans(KEY, lambda raw: False)
        assert time.monotonic() - started < 2


def test_an_intent_cut_at_any_byte_was_never_sent_and_goes(store: SampleStore, warnings: list[str]) -> None:
    with store.begin(KEY, intent()) as call:
        call.answer.write(b"answer")
    whole = wip_of(store).read_bytes()
    for length in range(whole.index(b"\n") + 1):
        wip_of(store).write_bytes(whole[:length])
        assert store.orphans(KEY, lambda raw: True) == []
        assert list(store.folder(KEY).iterdir()) == []
    assert warnings == []


def test_an_answer_whose_intent_lost_its_end_is_moved_aside(store: SampleStore, warnings: list[str]) -> None:
    """One bit of one byte; taken for a question that broke off it would be removed, and what was paid for with it."""
    with store.begin(KEY, intent()) as call:
        call.answer.write(b"answer")
    path, damaged = wip_of(store), wip_of(store).read_bytes().replace(b"\n", b"\x0b", 1)
    path.write_bytes(damaged)
    assert store.orphans(KEY, lambda raw: True) == []
    assert path.with_name(f"{path.name}.corrupt-1").read_bytes() == damaged
    assert len(warnings) == 1


def test_an_answer_cut_at_any_byte_is_judged_by_its_parser_alone(store: SampleStore) -> None:
    with store.begin(KEY, intent()) as call:
        call.answer.write(b"the answer")
    whole = wip_of(store).read_bytes()
    start = whole.index(b"\n") + 1
    for length in range(start, len(whole) + 1):
        folder = wip_of(store).parent
        for path in folder.iterdir():
            path.unlink()
        wip_of(store).write_bytes(whole[:length])
        (orphan,) = store.orphans(KEY, lambda raw: raw == b"the answer")
        assert orphan.raw == whole[start:length]
        assert (orphan.call is not None) == (length == len(whole))
        if orphan.call is not None:
            orphan.call.close()


@pytest.mark.parametrize(
    "content", [b"rubbish", b"rubbish\nmore", b"{}\n", b'{"format":"selftune.call/1"}\n', b"\xff\n", b"[" * 9999 + b"\n"]
)
def test_what_is_no_call_is_moved_aside_not_deleted(store: SampleStore, warnings: list[str], content: bytes) -> None:
    wip_of(store).parent.mkdir(parents=True)
    wip_of(store).write_bytes(content)
    assert store.orphans(KEY, lambda raw: True) == []
    assert [path.read_bytes() for path in store.folder(KEY).iterdir()] == [content]
    assert "corrupt-1" in warnings[0]


def test_a_call_under_the_name_of_another_is_moved_aside(store: SampleStore, warnings: list[str]) -> None:
    with store.begin(KEY, intent()):
        pass
    wip_of(store).rename(wip_of(store).with_name("0" * 64 + ".wip"))
    assert store.orphans(KEY, lambda raw: True) == []
    assert "belongs to another call" in warnings[0]


def test_a_kill_between_archive_and_clean_up_gives_one_sample(store: SampleStore) -> None:
    with store.begin(KEY, intent()) as call:
        call.answer.write(b"answer")
        left = wip_of(store).read_bytes()
        call.commit()
    wip_of(store).write_bytes(left)
    assert store.orphans(KEY, pytest.fail) == []
    assert not wip_of(store).exists()
    assert len(store.archives(KEY)) == 1


def test_a_kill_between_attempt_and_clean_up_is_not_counted_twice(store: SampleStore) -> None:
    with store.begin(KEY, intent()) as call:
        left = wip_of(store).read_bytes()
        call.fail("crash", "fell over")
    wip_of(store).write_bytes(left)
    assert store.orphans(KEY, lambda raw: False) == []
    assert [each.kind for each in store.attempts(KEY, CALL)] == ["crash"]


def test_a_call_of_another_machine_is_in_flight_until_its_time_limit_although_its_guard_is_free(store: SampleStore) -> None:
    store.begin(KEY, intent(timeout_s=3600, machine="another")).close()
    told: list[str] = []
    stop = threading.Event()
    stop.set()
    with pytest.raises(UndecidedError):
        store.orphans(KEY, lambda raw: False, told.append, stop)
    assert "on another machine" in told[0]
    assert wip_of(store).exists()
    assert store.attempts(KEY, CALL) == []


def test_after_that_it_is_one_whose_outcome_nobody_knows(store: SampleStore) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    store.begin(KEY, intent(timeout_s=3600, started=long_ago, machine="another")).close()
    (orphan,) = store.orphans(KEY, lambda raw: False)
    assert (orphan.call, [attempt.kind for attempt in store.attempts(KEY, CALL)]) == (None, ["unknown"])


def test_a_call_of_a_worker_on_this_machine_is_over_when_its_guard_is_free(store: SampleStore) -> None:
    store.begin(KEY, intent(timeout_s=3600, machine=machine())).close()
    (orphan,) = store.orphans(KEY, lambda raw: False)
    assert orphan.call is None


def test_what_another_machine_keeps_while_it_is_waited_for_is_left_as_it_is(store: SampleStore) -> None:
    call = store.begin(KEY, intent(timeout_s=3600, machine="another"))
    call.answer.write(b"answer")
    waited = threading.Event()
    worker = threading.Thread(target=lambda: (waited.wait(60), call.commit()))
    worker.start()
    found = store.orphans(KEY, lambda raw: True, lambda message: waited.set())
    worker.join()
    assert (found, [archive.raw for archive in store.archives(KEY)]) == ([], [b"answer"])
