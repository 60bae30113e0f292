"""Remotes behind URLs: where nothing writes conditionally, a name is still written whole and replaced by nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from selftune_build.errors import UsageError
from selftune_build.sharing.folder import Folder
from selftune_build.sharing.opening import open_remote, tier_name
from selftune_build.sharing.patience import Patient
from selftune_build.sharing.remote import Remote, RemoteError
from selftune_build.sharing.url import Url


@pytest.fixture(params=["folder", "renaming url", "creating url"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Remote:
    if request.param == "folder":
        return Folder(tmp_path)
    return Url(f"local://{tmp_path}" if request.param == "renaming url" else f"memory://{tmp_path}")


def test_a_name_is_written_once_and_read_back(remote: Remote) -> None:
    assert remote.create("main/a/b.sample", b"first")
    assert not remote.create("main/a/b.sample", b"second")
    assert remote.get("main/a/b.sample", 10) == b"first"
    assert remote.list("main") == {"main/a/b.sample": 5}


def test_nothing_is_left_beside_what_was_written(tmp_path: Path) -> None:
    remote = Url(f"local://{tmp_path}")
    remote.create("main/a", b"x")
    remote.create("main/a", b"y")
    assert [path.name for path in (tmp_path / "main").iterdir()] == ["a"]


def test_what_is_not_there_is_nothing(remote: Remote) -> None:
    assert remote.get("main/none", 10) is None
    assert remote.list("main") == {}


def test_more_than_is_expected_is_refused(remote: Remote) -> None:
    remote.create("main/a", b"x" * 11)
    with pytest.raises(RemoteError, match="larger than 10 bytes"):
        remote.get("main/a", 10)


@pytest.mark.parametrize("url", ["nothing-like-this://x/y", "zz+9://"])
def test_a_url_that_nothing_opens_is_a_mistake_of_the_command_line(url: str) -> None:
    with pytest.raises(UsageError, match="cannot be opened"):
        open_remote(url)


def test_words_without_a_scheme_are_folders(tmp_path: Path) -> None:
    assert isinstance(open_remote(str(tmp_path)), Folder)
    assert isinstance(open_remote(f"file://{tmp_path}"), Folder)
    assert isinstance(open_remote("memory://x"), Patient)


@pytest.mark.parametrize(("word", "name"), [("main", "main"), ("main/", "main"), ("pr/7", "pr/7")])
def test_tiers_are_folders_of_the_remote(word: str, name: str) -> None:
    assert tier_name(word) == name
