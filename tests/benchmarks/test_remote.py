"""The benchmark of shared stores, small: its samples are sound, and its names are those of samples. No times."""

from __future__ import annotations

from pathlib import Path

import pytest

from selftune_build.sharing.folder import Folder
from selftune_build.sharing.pulling import pull
from selftune_build.sharing.pushing import Pushed, push
from selftune_build.sharing.sink import Kept
from selftune_build.sharing.standing import standing
from tests.benchmarks import remote


def test_its_samples_are_given_and_taken_whole(tmp_path: Path) -> None:
    remote.write_samples(tmp_path / "here", 7)
    (tmp_path / "there").mkdir()
    there = Folder(tmp_path / "there")
    assert push(tmp_path / "here", there, "main", None) == Pushed(sent=7)
    assert push(tmp_path / "here", there, "main", None) == Pushed(there=7)
    for taken, here in ((7, 0), (0, 7)):
        done = pull(Kept(tmp_path / "else", lambda line: None), there, ["main"], None)
        assert (done.taken, done.here, done.refused, done.calls) == (taken, here, [], set())


def test_its_names_are_those_of_samples_that_are_on_both_sides(tmp_path: Path) -> None:
    remote.write_names(tmp_path / "here", tmp_path / "there", 7)
    (found,) = standing(tmp_path / "here", Folder(tmp_path / "there"), ["main"])
    assert (found.both, found.here, found.there) == (7, 0, 0)


@pytest.mark.benchmark
def test_the_table_has_a_line_for_each_command() -> None:
    lines = list(remote.table(6, "folder"))
    print("\n".join(lines))
    names = [line.split("|")[1].strip() for line in lines[2:]]
    assert names == ["push, all new", "push, none new", "status", "pull, all new", "pull, none new"]
