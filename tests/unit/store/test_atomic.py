"""Writing files whole."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from selftune_build.errors import StoreError
from selftune_build.store.atomic import store_errors, write_all, write_atomic


@pytest.fixture
def restored_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def bits(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_has_the_content_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_atomic(tmp_path / "file", b"content")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"content"}


def test_an_existing_file_is_replaced_not_written_into(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a long old content")
    with path.open("rb") as reader:
        write_atomic(path, b"new", durable=False)
        assert reader.read() == b"a long old content"
    assert path.read_bytes() == b"new"


def test_a_symbolic_link_is_replaced_and_its_target_left_alone(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "selftune.lock").symlink_to("target")
    write_atomic(tmp_path / "selftune.lock", b"new")
    assert (tmp_path / "target").read_bytes() == b"precious"
    assert not (tmp_path / "selftune.lock").is_symlink()


@pytest.mark.parametrize(("umask", "expected"), [(0o022, 0o644), (0o077, 0o600), (0o777, 0o600), (0, 0o666)])
def test_the_owner_can_read_a_new_file_under_any_umask(tmp_path: Path, restored_umask: None, umask: int, expected: int) -> None:
    os.umask(umask)
    write_atomic(tmp_path / "file", b"")
    assert bits(tmp_path / "file") == expected


def test_a_replaced_file_keeps_its_permission_bits(tmp_path: Path, restored_umask: None) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o664)
    write_atomic(path, b"new")
    assert bits(path) == 0o664


def test_a_mode_that_is_asked_for_is_set(tmp_path: Path, restored_umask: None) -> None:
    write_atomic(tmp_path / "file", b"", mode=0o755)
    assert bits(tmp_path / "file") == 0o755


def test_the_temporary_file_can_lie_beside_the_folder_whose_listing_counts(tmp_path: Path) -> None:
    beside = tmp_path / ".selftune"
    write_atomic(tmp_path / "selftune.lock", b"lock", beside=beside)
    assert [path.name for path in tmp_path.iterdir()] == ["selftune.lock"]
    beside.mkdir()
    (beside / "kept").write_bytes(b"")
    write_atomic(tmp_path / "selftune.lock", b"lock 2", beside=beside)
    assert [path.name for path in beside.iterdir()] == ["kept"]


def test_a_missing_folder_is_a_store_error_with_the_path(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        write_atomic(tmp_path / "none" / "file", b"")
    assert caught.value.exit_status == 4
    assert caught.value.at is not None
    assert caught.value.at.path == str(tmp_path / "none" / "file")


@pytest.mark.parametrize("step", ["write", "fsync", "rename", "fchmod"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_failed_step_leaves_the_old_content_and_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(StoreError, match=os.strerror(number)):
        write_atomic(path, b"new")
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"file": b"old"}


def test_a_full_disk_is_met_with_advice(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught, store_errors("write", tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert "free some space" in (caught.value.hint or "")


def test_a_really_full_device_is_a_store_error() -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(StoreError, match="No space left"), store_errors("write", "/dev/full"):
        write_all(descriptor, b"x")
    os.close(descriptor)


def test_a_write_that_stops_early_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: real(descriptor, bytes(content)[:3]))
    write_atomic(tmp_path / "file", b"0123456789")
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_two_who_write_beside_the_same_folder_do_not_take_it_from_each_other(tmp_path: Path) -> None:
    """Each makes the folder for its temporary file, and removes it when it is empty."""
    beside, failures = tmp_path / ".selftune", []

    def write(name: str) -> None:
        try:
            for number in range(300):
                write_atomic(tmp_path / name, b"%d" % number, durable=False, beside=beside)
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(f"lock-{number}",)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failures == []
    assert [(tmp_path / f"lock-{number}").read_bytes() for number in range(4)] == [b"299"] * 4
