"""One paying process per static key."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from selftune_build.errors import UndecidedError
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.store.archive import Intent
from selftune_build.store.samples import SampleStore

KEY, CALL = digest_bytes(b"a static key"), digest_bytes(b"a call")
CHECKOUT = Path(__file__).parents[3]
HOLD = """
import sys
from contextlib import ExitStack
from pathlib import Path
from selftune_build.store.samples import SampleStore
store = SampleStore(Path(sys.argv[1]))
with ExitStack() as held:
    for key in sys.argv[2:]:
        held.enter_context(store.claim(key, b'{"a":1}'))
    print("held", flush=True)
    sys.stdin.read()
"""


def start_holder(root: Path, *keys: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", HOLD, str(root), *(keys or (KEY,))]
    holder = subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    return holder


def test_the_claim_leaves_the_explanation_for_a_reader(tmp_path: Path) -> None:
    store = SampleStore(tmp_path)
    with store.claim(KEY, b'{"prompt":"x"}'):
        assert (store.folder(KEY) / "key.json").read_bytes() == b'{"prompt":"x"}'
    assert (store.folder(KEY) / "key.json").read_bytes() == b'{"prompt":"x"}'


@pytest.mark.parametrize("torn", [b"", b'{"prom', b'{"prompt":"x"} and more'])
def test_a_torn_explanation_is_mended(tmp_path: Path, torn: bytes) -> None:
    store = SampleStore(tmp_path)
    with store.claim(KEY, b"{}"):
        pass
    (store.folder(KEY) / "key.json").write_bytes(torn)
    with store.claim(KEY, b'{"prompt":"x"}'):
        assert (store.folder(KEY) / "key.json").read_bytes() == b'{"prompt":"x"}'


def test_another_process_is_named_and_waited_for(tmp_path: Path) -> None:
    holder = start_holder(tmp_path)
    told: list[str] = []
    threading.Timer(0.2, holder.communicate).start()
    started = time.monotonic()
    with SampleStore(tmp_path).claim(KEY, b"{}", told.append):
        assert time.monotonic() - started > 0.1
    assert len(told) == 1
    assert f"process {holder.pid} " in told[0]
    assert f"started in {CHECKOUT};" in told[0]
    assert "since" not in told[0]
    holder.wait()


def test_who_is_waited_for_is_told_once_with_what_is_asked_and_since_when(tmp_path: Path) -> None:
    other = digest_bytes(b"another key")
    holder, store, told = start_holder(tmp_path, KEY, other), SampleStore(tmp_path), list[str]()
    sent = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    stop = threading.Event()
    stop.set()
    with store.begin(KEY, Intent(CALL, KEY, 0, "house", {}, KEY, {}, "", "", 1, sent.isoformat())):
        for key in (KEY, other):
            with pytest.raises(UndecidedError), store.claim(key, b"{}", told.append, stop, "brew:replay[black]"):
                pytest.fail("two claims at once")
    started = f"since {sent.astimezone():%H:%M:%S}, started in"
    assert len(told) == 1
    assert told[0].startswith(f"process {holder.pid} is working on the same samples as brew:replay[black] {started} ")
    holder.communicate()


def test_a_killed_process_frees_its_claim(tmp_path: Path) -> None:
    holder = start_holder(tmp_path)
    threading.Timer(0.2, holder.kill).start()
    with SampleStore(tmp_path).claim(KEY, b"{}"):
        assert holder.wait() == -9
    for pipe in (holder.stdin, holder.stdout):
        assert pipe is not None
        pipe.close()


def test_threads_of_one_process_take_turns(tmp_path: Path) -> None:
    store = SampleStore(tmp_path)
    inside, most = [0], [0]

    def work() -> None:
        with store.claim(KEY, b"{}"):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.01)
            inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def test_a_thread_that_waits_for_another_is_told_so(tmp_path: Path) -> None:
    store = SampleStore(tmp_path)
    told: list[str] = []
    heard = threading.Event()

    def waiting(message: str) -> None:
        told.append(message)
        heard.set()

    def wait_for_it() -> None:
        with store.claim(KEY, b"{}", waiting):
            told.append("mine")

    waiter = threading.Thread(target=wait_for_it)
    with store.claim(KEY, b"{}"):
        waiter.start()
        assert heard.wait(20)
    waiter.join()
    assert "this process" in told[0]
    assert told[1:] == ["mine"]


def test_other_keys_are_not_waited_for(tmp_path: Path) -> None:
    store = SampleStore(tmp_path)
    other = digest_bytes(b"another key")
    with store.claim(KEY, b"{}"), store.claim(other, b"{}", pytest.fail):
        assert (store.folder(other) / "key.json").exists()


def test_readers_are_not_kept_out(tmp_path: Path) -> None:
    holder = start_holder(tmp_path)
    assert SampleStore(tmp_path).archives(KEY) == []
    holder.communicate()


def test_waiting_can_be_cancelled(tmp_path: Path) -> None:
    store = SampleStore(tmp_path)
    cancel = threading.Event()
    cancel.set()
    with store.claim(KEY, b"{}"), pytest.raises(UndecidedError), store.claim(KEY, b"{}", cancel=cancel):
        pytest.fail("two claims at once")


def test_a_claim_whose_file_is_taken_away_meanwhile_is_taken_on_the_new_one(tmp_path: Path) -> None:
    store = SampleStore(tmp_path)
    path = store.folder(KEY) / "key.json"
    entered = threading.Event()

    def wait_for_it() -> None:
        with store.claim(KEY, b"new", lambda _: path.unlink()):
            entered.set()

    with store.claim(KEY, b"old"):
        waiter = threading.Thread(target=wait_for_it)
        waiter.start()
        time.sleep(0.1)
        assert not entered.is_set()
    waiter.join()
    assert path.read_bytes() == b"new"
