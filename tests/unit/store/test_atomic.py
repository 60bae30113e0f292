"""Writing files whole."""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from selftune_build.errors import StoreError
from selftune_build.store import temporary
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


WRITES = """
import os, sys
from pathlib import Path

from selftune_build.store import atomic

os.getpid = lambda: 7  # as in a container
path = Path(sys.argv[1])
match sys.argv[2]:
    case "whole":
        atomic.write_atomic(path, b"whole")
    case "new":
        sys.exit(0 if atomic.write_new(path, b"whole") else 3)
    case "killed":
        atomic.write_all = lambda descriptor, content: os.kill(int(os.readlink("/proc/self")), 9)
        atomic.write_atomic(path, b"half")
    case "waiting":
        def slowly(descriptor, content, write_all=atomic.write_all):
            print("writing", flush=True)
            sys.stdin.readline()
            write_all(descriptor, content)

        atomic.write_all = slowly
        atomic.write_atomic(path, b"slow")
"""


def writer(path: Path, how: str) -> subprocess.Popen[str]:
    """Another process that believes to have the number 7."""
    command = [sys.executable, "-c", WRITES, str(path), how]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> int:
    process.communicate("\n", timeout=60)
    return process.returncode


@pytest.mark.parametrize("how", ["whole", "new"])
def test_what_a_killed_process_of_the_same_number_left_is_replaced(tmp_path: Path, how: str) -> None:
    path = tmp_path / "file"
    assert ended(writer(path, "killed")) == -signal.SIGKILL
    assert [each.name for each in tmp_path.iterdir()] == [".file.7-0.tmp"]
    assert ended(writer(path, how)) == 0
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"file": b"whole"}


@pytest.mark.parametrize("how", ["whole", "new"])
def test_what_a_process_of_the_same_number_is_writing_is_left_to_it(tmp_path: Path, how: str) -> None:
    path = tmp_path / "file"
    slow = writer(path, "waiting")
    assert slow.stdout is not None
    assert slow.stdout.readline() == "writing\n"
    assert ended(writer(path, how)) == 0
    assert {each.name for each in tmp_path.iterdir()} == {"file", ".file.7-0.tmp"}
    assert path.read_bytes() == b"whole"
    assert ended(slow) == 0
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"file": b"slow"}


def test_a_file_that_was_tidied_away_before_it_was_guarded_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between making a file and guarding it somebody else may take it for a leftover."""
    real, made = os.open, []

    def open_and_lose(path: os.PathLike[str], flags: int, mode: int = 0o777) -> int:
        descriptor = real(path, flags, mode)
        if flags & os.O_EXCL:
            made.append(path)
            if len(made) == 1:
                os.unlink(path)
        return descriptor

    monkeypatch.setattr(os, "open", open_and_lose)
    write_atomic(tmp_path / "file", b"content")
    assert len(made) == 2
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"content"}


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.ENOLCK])
def test_a_file_system_without_guards_is_written_and_no_leftover_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path = tmp_path / "file"
    assert ended(writer(path, "killed")) == -signal.SIGKILL

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(os, "getpid", lambda: 7)
    monkeypatch.setattr(temporary, "_serial", itertools.count())
    write_atomic(path, b"whole")
    assert {each.name for each in tmp_path.iterdir()} == {"file", ".file.7-0.tmp"}


def test_what_is_written_is_not_removed_and_what_was_left_is(tmp_path: Path) -> None:
    with temporary.temporary_file(tmp_path, "file") as (path, _):
        assert (temporary.is_guarded(path), temporary.remove_unguarded(path)) == (True, False)
        assert path.exists()
    path.write_bytes(b"left")
    assert (temporary.is_guarded(path), temporary.remove_unguarded(path)) == (False, True)
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_the_folder_of_the_temporary_file_should_be_is_an_error_and_no_endless_loop(tmp_path: Path) -> None:
    (tmp_path / ".selftune").write_bytes(b"")
    with pytest.raises(StoreError, match="Not a directory"):
        write_atomic(tmp_path / "selftune.lock", b"lock", beside=tmp_path / ".selftune")
