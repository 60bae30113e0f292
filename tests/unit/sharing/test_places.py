"""Which listings a plan takes, and what is found by them."""

from __future__ import annotations

from pathlib import Path

import pytest

from selftune_build.limits import REMOTE_KEYS_LISTED
from selftune_build.sharing.folder import Folder
from selftune_build.sharing.places import Place, key_folder, places_of
from selftune_build.sharing.url import Url


def keys(start: str, count: int) -> list[str]:
    return [key_folder(f"sha256:{start}{number:062x}") for number in range(count)]


def test_a_few_keys_are_listed_one_by_one_whatever_else_there_is() -> None:
    few = keys("ab", REMOTE_KEYS_LISTED) + keys("cd", 1)
    assert places_of(few) == [Place(key, frozenset((key,))) for key in few]


def test_many_keys_that_begin_alike_take_one_listing() -> None:
    many = keys("ab", REMOTE_KEYS_LISTED + 1)
    (place,) = places_of(many)
    assert place == Place("samples/ab", frozenset(many))
    assert place.holds(f"{many[0]}/x.sample")
    assert not place.holds(f"{keys('ab', 99)[-1]}/x.sample")


def test_a_plan_of_any_size_takes_no_more_listings_than_there_are_parts() -> None:
    every = [key for start in range(256) for key in keys(f"{start:02x}", REMOTE_KEYS_LISTED + 1)]
    assert len(places_of(every)) == 256


@pytest.mark.parametrize("kind", ["folder", "memory"])
def test_folders_and_names_are_those_below_a_place(tmp_path: Path, kind: str) -> None:
    remote = Folder(tmp_path) if kind == "folder" else Url(f"memory://{tmp_path.name}")
    for name in ("main/samples/ab/x", "main/samples/cd/y", "main/samples/z", "other/samples/ef/x"):
        assert remote.create(name, b"12")
    assert not remote.create("main/samples/z", b"3")
    remote.reach()
    assert remote.folders("main/samples") == ["ab", "cd"]
    assert remote.folders("nothing") == []
    assert remote.list("main") == {"main/samples/ab/x": 2, "main/samples/cd/y": 2, "main/samples/z": 2}
    assert remote.get("main/samples/z", 2) == b"12"
