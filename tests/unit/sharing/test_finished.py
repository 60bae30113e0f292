"""Which samples a store has by their names, a part at a time: the same as a survey of the whole finds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from selftune_build.errors import StoreError
from selftune_build.sharing.finished import finished, starts
from selftune_build.sharing.folder import Folder
from selftune_build.sharing.pushing import archives_in
from selftune_build.sharing.standing import Standing, standing
from selftune_build.store.survey import Kind, survey

KEY, OTHER = "ab" + "0" * 62, "cd" + "1" * 62
CALLS = ["e" * 64, "f" * 64]


def touch(path: Path, size: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)


@pytest.fixture
def untidy(tmp_path: Path) -> Path:
    """A store with three samples, and much that looks alike and is none."""
    store = tmp_path / "store"
    for path in (f"ab/{KEY}/{CALLS[1]}", f"ab/{KEY}/{CALLS[0]}", f"cd/{OTHER}/{CALLS[0]}"):
        touch(store / f"samples/{path}.zst")
    for path in (
        f"ab/{KEY}/{CALLS[0]}.1.err.zst",
        f"ab/{KEY}/{CALLS[0]}.wip",
        f"ab/{KEY}/{'a' * 63}.zst",
        f"ab/{KEY}/{'a' * 64}.zst.corrupt-1",
        f"ab/{OTHER}/{CALLS[0]}.zst",
        f"zz/{'zz' + '0' * 62}/{CALLS[0]}.zst",
        f"ab/{KEY}/deep/{CALLS[0]}.zst",
    ):
        touch(store / "samples" / path)
    touch(store / f"records/ab/{CALLS[0]}.zst")
    (store / f"samples/ab/{KEY}/{'b' * 64}.zst").symlink_to(tmp_path)
    (store / f"samples/ab/{KEY}/{'c' * 64}.zst").mkdir()
    (store / "samples/ef").symlink_to(store / "samples/cd")
    return store


def test_they_are_those_that_a_survey_finds(untidy: Path) -> None:
    expected = [entry.path for entry in survey(untidy) if entry.kind is Kind.ARCHIVE]
    assert len(expected) == 3
    assert [path for start in starts(untidy) for path in finished(untidy, start)] == expected == archives_in(untidy)


def test_of_a_time_only_those_since_then(untidy: Path) -> None:
    old = untidy / f"samples/ab/{KEY}/{CALLS[0]}.zst"
    os.utime(old, (1, 1))
    assert archives_in(untidy, 2 * 10**9) == [f"samples/ab/{KEY}/{CALLS[1]}.zst", f"samples/cd/{OTHER}/{CALLS[0]}.zst"]


def test_a_store_that_is_not_there_has_none_and_one_that_is_none_is_an_error(tmp_path: Path) -> None:
    assert starts(tmp_path / "none") == []
    touch(tmp_path / "file")
    with pytest.raises(StoreError, match="cannot list"):
        starts(tmp_path / "file")


def test_both_sides_are_compared_part_by_part_and_tier_by_tier(untidy: Path, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    for tier, key, call, size in (
        ("main", KEY, CALLS[0], 3),
        ("main", "12" + "3" * 62, CALLS[0], 4),
        ("pr/7", OTHER, CALLS[0], 5),
    ):
        touch(remote / f"{tier}/samples/{key[:2]}/{key}/{call}.{'0' * 16}.sample", size)
    touch(remote / f"main/samples/ab/{KEY}/key.json", 10)
    (untidy / f"samples/cd/{OTHER}/key.json").write_text('{"agent plugin": "embedded"}')
    assert standing(untidy, Folder(remote), ["main", "pr/7", "empty"]) == [
        Standing("main", here=1, both=1, there=1, bytes=17, free=1),
        Standing("pr/7", here=2, both=1, there=0, bytes=5, free=0),
        Standing("empty", here=2, both=0, there=0, bytes=0, free=1),
    ]


def test_the_names_of_a_folder_are_all_regular_files_below_it_whoever_looks_from_where(tmp_path: Path) -> None:
    touch(tmp_path / "a/b/c", 3)
    touch(tmp_path / "a/d", 1)
    (tmp_path / "a/link").symlink_to(tmp_path / "a/d")
    os.mkfifo(tmp_path / "a/pipe")
    remote = Folder(tmp_path)
    assert remote.list("") == remote.list("a") == {"a/b/c": 3, "a/d": 1}
    assert remote.list("a/b") == {"a/b/c": 3}
    assert remote.list("none") == {}
