"""Paid results: written before they are read, found again, never lost without a word."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from selftune_build.errors import StoreError
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.limits import STORE_ATTEMPT_RAW_BYTES
from selftune_build.model.sample import ErrorKind, FileChange
from selftune_build.store import archive as archive_format
from selftune_build.store import atomic
from selftune_build.store.archive import Archive, Intent
from selftune_build.store.samples import SampleStore

KEY = digest_bytes(b"a static key")
FILES = (FileChange("out.bin", b"\x00\xff", executable=True), FileChange("gone.txt", None))


def intent(index: int = 0, key: str = KEY, started: str = "2026-01-01T00:00:00+00:00") -> Intent:
    return Intent(
        call_id=digest_bytes(f"{key} {index}".encode()),
        static_key=key,
        index=index,
        agent="house",
        request={"prompt": "tidy \u2028 up", "sample": index},
        staged="sha256:" + "7" * 64,
        initial={"notes.txt": digest_bytes(b"notes")},
        workspace="/tmp/s/root",
        home="/tmp/s/home",
        timeout_s=5,
        started=started,
    )


def add(store: SampleStore, index: int, raw: bytes = b"answer", key: str = KEY) -> Archive:
    with store.begin(key, intent(index, key), durable=False) as call:
        call.answer.write(raw)
        return call.commit(files=FILES, touched=frozenset({"pdf:body"}), recorded="2026-01-01")


def names(store: SampleStore, key: str = KEY) -> list[str]:
    return sorted(path.name for path in store.folder(key).iterdir())


def stem(index: int) -> str:
    return intent(index).call_id.removeprefix("sha256:")


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def store(tmp_path: Path, warnings: list[str]) -> SampleStore:
    return SampleStore(tmp_path, warnings.append)


def test_the_layout_is_the_documented_one(store: SampleStore, tmp_path: Path) -> None:
    with store.claim(KEY, b"{}"):
        add(store, 0)
        with store.begin(KEY, intent(1)) as call:
            call.fail("crash", "fell over")
        with store.begin(KEY, intent(2)):
            pass
    digits = KEY.removeprefix("sha256:")
    assert store.folder(KEY) == tmp_path / "samples" / digits[:2] / digits
    expected = ["key.json", f"{stem(0)}.zst", f"{stem(1)}.1.err.zst", f"{stem(2)}.wip"]
    assert names(store) == sorted(expected)


@pytest.mark.parametrize("durable", [True, False])
def test_what_was_committed_is_found_again(store: SampleStore, durable: bool) -> None:
    with store.begin(KEY, intent(3), durable) as call:
        call.answer.write(b"raw \xff\n answer")
        written = call.commit(
            touched=frozenset({"pdf:file:b", "pdf:body"}),
            files=FILES,
            exit_status=0,
            stderr=b"warned",
            cost={"cost_usd": "0.25"},
            seconds_ms=1234,
            recorded="2026-01-01T00:00:00+00:00",
        )
    assert store.archives(KEY) == [written]
    assert written == Archive(
        call_id=intent(3).call_id,
        static_key=KEY,
        index=3,
        request=intent(3).request,
        staged=intent(3).staged,
        touched=["pdf:body", "pdf:file:b"],
        raw=b"raw \xff\n answer",
        files=list(FILES),
        exit_status=0,
        stderr=b"warned",
        cost={"cost_usd": "0.25"},
        seconds_ms=1234,
        recorded="2026-01-01T00:00:00+00:00",
        workspace="/tmp/s/root",
        home="/tmp/s/home",
    )


def test_what_could_not_be_told_stays_untold(store: SampleStore) -> None:
    with store.begin(KEY, intent(), durable=False) as call:
        call.commit(touched=None)
    assert store.archives(KEY)[0].touched is None


def test_archives_are_sorted_by_sample_index(store: SampleStore) -> None:
    for index in (11, 2, 7, 0):
        add(store, index)
    assert [each.index for each in store.archives(KEY)] == [0, 2, 7, 11]


def test_an_unknown_key_has_no_samples_and_reading_makes_no_folder(store: SampleStore, tmp_path: Path) -> None:
    assert store.archives(KEY) == []
    assert store.attempts(KEY, intent().call_id) == []
    assert store.orphans(KEY, lambda raw: True) == []
    assert list(tmp_path.iterdir()) == []


def test_keys_do_not_see_each_others_samples(store: SampleStore) -> None:
    other = digest_bytes(b"another key")
    add(store, 0)
    add(store, 5, key=other)
    assert [each.index for each in store.archives(KEY)] == [0]
    assert [each.index for each in store.archives(other)] == [5]


@pytest.mark.parametrize("wrong", ["", "../../etc", "xxh3:" + "0" * 32, "sha256:" + "g" * 64, "sha256:" + "0" * 64 + "\n"])
def test_only_a_sha256_digest_becomes_a_file_name(store: SampleStore, wrong: str) -> None:
    with pytest.raises(ValueError, match="not a sha256 digest"):
        store.folder(wrong)


def test_attempts_are_numbered_and_keep_what_came_back(store: SampleStore) -> None:
    for number, kind in enumerate(("crash", "timeout"), 1):
        with store.begin(KEY, intent(started=f"2026-01-0{number}T00:00:00+00:00"), durable=number == 1) as call:
            call.answer.write(f"half {number}".encode())
            call.fail(kind, f"message {number}", {"cost_usd": "1"})
    found = store.attempts(KEY, intent().call_id)
    assert [(each.number, each.kind, each.message, each.raw) for each in found] == [
        (1, "crash", "message 1", b"half 1"),
        (2, "timeout", "message 2", b"half 2"),
    ]
    assert found[0].usage == {"cost_usd": "1"}
    assert store.archives(KEY) == []


def test_what_came_back_of_an_attempt_is_kept_whole_and_of_a_flood_only_its_start(store: SampleStore) -> None:
    answer = bytes(range(256)) * (STORE_ATTEMPT_RAW_BYTES // 256 + 1)
    for number, kind in enumerate((ErrorKind.PROTOCOL, ErrorKind.TIMEOUT, ErrorKind.FLOOD)):
        with store.begin(KEY, intent(started=str(number)), durable=False) as call:
            call.answer.write(answer)
            call.fail(kind.value, "")
    kept = {each.kind: each.raw for each in store.attempts(KEY, intent().call_id)}
    assert kept == {"protocol": answer, "timeout": answer, "flood": answer[:STORE_ATTEMPT_RAW_BYTES]}


def test_attempts_after_the_ninth_stay_in_order(store: SampleStore) -> None:
    for number in range(1, 12):
        with store.begin(KEY, intent(started=str(number)), durable=False) as call:
            call.fail("crash", "")
    assert [each.number for each in store.attempts(KEY, intent().call_id)] == list(range(1, 12))


def test_the_answer_is_behind_the_intent_in_one_file(store: SampleStore) -> None:
    with store.begin(KEY, intent()) as call:
        call.answer.write(b"answer\n")
        line, _, rest = call.path.read_bytes().partition(b"\n")
        assert msgspec.json.decode(line)["call_id"] == intent().call_id
        assert (rest, call.raw()) == (b"answer\n", b"answer\n")


def test_a_child_that_truncates_its_stdout_cannot_lose_its_answer(store: SampleStore) -> None:
    with store.begin(KEY, intent(), durable=False) as call:
        call.path.write_bytes(b"first ")
        call.answer.write(b"second")
        assert call.commit().raw == b"first second"


def test_a_withdrawn_call_leaves_nothing(store: SampleStore) -> None:
    with store.begin(KEY, intent()) as call:
        call.withdraw()
    assert names(store) == []


def test_the_same_call_cannot_be_in_flight_twice(store: SampleStore) -> None:
    with store.begin(KEY, intent()), pytest.raises(StoreError, match="still in flight"):
        store.begin(KEY, intent())


class Killed(BaseException):
    """Stands for the end of the process."""


class Countdown:
    """Lets the first `steps` system calls through and ends the process before the next."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def before(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: object, **options: object) -> object:
            self.steps -= 1
            if self.steps < 0:
                raise Killed
            return real(*arguments, **options)

        return call


def commit_killed_after(steps: int, store: SampleStore, key: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a commit got through with so many system calls."""
    countdown = Countdown(steps)
    with store.begin(key, intent(0, key), durable=True) as call, monkeypatch.context() as patched:
        call.answer.write(b"answer")
        for name in ("open", "write", "fsync", "rename", "fchmod", "unlink"):
            patched.setattr(os, name, countdown.before(getattr(os, name)))
        try:
            call.commit()
        except Killed:
            return False
    return True


def test_a_kill_at_any_step_of_a_commit_keeps_the_answer(store: SampleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for steps in itertools.count():
        key = digest_bytes(f"round {steps}".encode())
        finished = commit_killed_after(steps, store, key, monkeypatch)
        for orphan in store.orphans(key, lambda raw: raw == b"answer"):
            assert orphan.call is not None
            orphan.call.commit()
        assert [each.raw for each in store.archives(key)] == [b"answer"]
        assert store.attempts(key, intent(0, key).call_id) == []
        if finished:
            break
    assert steps >= 6


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT])
def test_a_commit_that_fails_says_where_the_answer_is(store: SampleStore, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with store.begin(KEY, intent()) as call:
        call.answer.write(b"paid for")
        monkeypatch.setattr(atomic, "write_all", fail)
        with pytest.raises(StoreError) as caught:
            call.commit()
        monkeypatch.undo()
    assert caught.value.exit_status == 4
    assert str(call.path) in (caught.value.hint or "")
    assert call.path.read_bytes().endswith(b"paid for")
    (orphan,) = store.orphans(KEY, lambda raw: raw == b"paid for")
    assert orphan.call is not None
    orphan.call.commit()
    assert [each.raw for each in store.archives(KEY)] == [b"paid for"]


def test_an_intent_that_cannot_be_written_stops_before_the_call(store: SampleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError, match="No space"):
        store.begin(KEY, intent())
    assert names(store) == []


def test_a_store_below_a_file_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "samples").write_bytes(b"")
    store = SampleStore(tmp_path)
    with pytest.raises(StoreError):
        store.claim(KEY, b"{}")
    with pytest.raises(StoreError):
        store.begin(KEY, intent())
    with pytest.raises(StoreError):
        store.archives(KEY)


def test_an_archive_cut_at_any_byte_is_moved_aside_and_never_believed(store: SampleStore, warnings: list[str]) -> None:
    add(store, 0, os.urandom(40))
    path = store.folder(KEY) / f"{stem(0)}.zst"
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert store.archives(KEY) == []
        assert not path.exists()
    assert len(warnings) == len(whole)
    aside = [name for name in names(store) if ".zst.corrupt-" in name]
    assert len(aside) == len(whole)
    assert f"{stem(0)}.zst.corrupt-{len(whole)}" in aside


def test_an_archive_with_any_flipped_byte_is_never_believed(store: SampleStore) -> None:
    original = add(store, 0, b"x" * 50)
    path = store.folder(KEY) / f"{stem(0)}.zst"
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes((whole[at] ^ 0x10,)) + whole[at + 1 :])
        assert store.archives(KEY) in ([], [original])
        path.unlink(missing_ok=True)


def test_bytes_behind_an_archive_are_damage(store: SampleStore, warnings: list[str]) -> None:
    add(store, 0)
    with (store.folder(KEY) / f"{stem(0)}.zst").open("ab") as file:
        file.write(b"more")
    assert store.archives(KEY) == []
    assert len(warnings) == 1


def test_a_damaged_archive_does_not_hide_the_others(store: SampleStore, warnings: list[str]) -> None:
    for index in range(3):
        add(store, index)
    (store.folder(KEY) / f"{stem(1)}.zst").write_bytes(b"rubbish")
    assert [each.index for each in store.archives(KEY)] == [0, 2]
    assert warnings == [
        f"{store.folder(KEY) / stem(1)}.zst does not decompress; it is not used and was moved to {stem(1)}.zst.corrupt-1"
    ]


def test_an_archive_under_the_name_of_another_call_is_damage(store: SampleStore, warnings: list[str]) -> None:
    add(store, 0)
    (store.folder(KEY) / f"{stem(0)}.zst").rename(store.folder(KEY) / f"{stem(1)}.zst")
    assert store.archives(KEY) == []
    assert "belongs to another call" in warnings[0]


def test_an_archive_copied_to_another_key_is_damage(store: SampleStore, warnings: list[str]) -> None:
    add(store, 0)
    other = digest_bytes(b"another key")
    store.folder(other).mkdir(parents=True)
    (store.folder(other) / f"{stem(0)}.zst").write_bytes((store.folder(KEY) / f"{stem(0)}.zst").read_bytes())
    assert store.archives(other) == []
    assert len(warnings) == 1


def test_an_archive_that_claims_to_be_huge_is_refused_before_it_is_unpacked(
    store: SampleStore, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, 0, b"\0" * 100_000)
    monkeypatch.setattr(archive_format, "STORE_ARCHIVE_MAX_BYTES", 10_000)
    assert store.archives(KEY) == []
    assert "no plausible size" in warnings[0]


def test_an_archive_of_a_newer_version_is_refused_and_stays(store: SampleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(archive_format, "FORMAT_VERSION", 9)
        add(store, 0)
    with pytest.raises(StoreError, match="format 9"):
        store.archives(KEY)
    assert names(store) == [f"{stem(0)}.zst"]


def test_foreign_files_in_the_folder_are_passed_over(store: SampleStore, warnings: list[str]) -> None:
    add(store, 0)
    for name in (".x.zst.1-2.tmp", "notes.txt", f"{stem(1)}.zst.corrupt-1", ".DS_Store"):
        (store.folder(KEY) / name).write_bytes(b"")
    assert len(store.archives(KEY)) == 1
    assert warnings == []


def test_a_damaged_attempt_is_moved_aside_and_its_number_not_used_again(store: SampleStore, warnings: list[str]) -> None:
    with store.begin(KEY, intent(), durable=False) as call:
        call.fail("crash", "")
    (store.folder(KEY) / f"{stem(0)}.1.err.zst").write_bytes(b"rubbish")
    assert store.attempts(KEY, intent().call_id) == []
    assert len(warnings) == 1
    with store.begin(KEY, intent(started="later"), durable=False) as call:
        assert call.fail("crash", "").number == 2


def test_a_durable_commit_syncs_the_file_before_and_the_folder_after_the_rename(
    store: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    real_fsync, real_rename = os.fsync, os.rename
    monkeypatch.setattr(
        os,
        "fsync",
        lambda fd: (steps.append(f"fsync {os.path.basename(os.readlink(f'/proc/self/fd/{fd}'))[-4:]}"), real_fsync(fd)),
    )
    monkeypatch.setattr(os, "rename", lambda *paths: (steps.append("rename"), real_rename(*paths)))
    with store.begin(KEY, intent()) as call:
        steps.append("sent")
        call.commit()
    folder = store.folder(KEY).name[-4:]
    assert steps[steps.index("sent") - 2 :] == [
        "fsync .wip",
        f"fsync {folder}",
        "sent",
        "fsync .tmp",
        "rename",
        f"fsync {folder}",
    ]


def test_a_free_agent_pays_for_no_fsync(store: SampleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("fsync"))
    add(store, 0)
    assert len(store.archives(KEY)) == 1


def test_a_finished_sample_is_never_replaced(store: SampleStore, tmp_path: Path) -> None:
    with store.begin(KEY, intent(0)) as late:
        late.answer.write(b"late")
        other = SampleStore(tmp_path / "other")
        add(other, 0, b"paid for")
        (other.folder(KEY) / f"{stem(0)}.zst").rename(store.folder(KEY) / f"{stem(0)}.zst")
        with pytest.raises(StoreError, match="holds an answer to this call already"):
            late.commit()
        late.withdraw()
    with pytest.raises(StoreError, match="holds an answer to this call already"):
        store.begin(KEY, intent(0))
    assert [archive.raw for archive in store.archives(KEY)] == [b"paid for"]
    assert names(store) == [f"{stem(0)}.zst"]
