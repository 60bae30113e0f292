"""A login gets into a sample and out of it again, and into nothing else."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from selftune_build.agents.hosts.login import Login, LoginFile, Variable, given, masked, scrub

TOKEN = "token-0123456789abcdef"
LOGIN = Login(
    (Variable("HOST_KEY"), Variable("HOST_PIPED", descriptor="HOST_PIPED_FD"), Variable("HOST_URL", secret=False)),
    (LoginFile("HOST_FOLDER", ".host", "auth.json"),),
)


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own folder of the host."""
    for name in ("HOST_KEY", "HOST_PIPED", "HOST_URL"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "user"
    folder.mkdir()
    monkeypatch.setenv("HOST_FOLDER", str(folder))
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def test_only_named_variables_pass_and_a_secret_may_go_through_a_pipe(
    user: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOST_KEY", TOKEN)
    monkeypatch.setenv("HOST_PIPED", TOKEN[::-1])
    monkeypatch.setenv("HOST_URL", "http://127.0.0.1:1/long-enough-to-be-one")
    monkeypatch.setenv("HOST_OTHER", "other")
    for name in ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    with given(LOGIN, home) as login:
        (descriptor,) = login.descriptors
        wanted = {"HOST_KEY": TOKEN, "HOST_URL": "http://127.0.0.1:1/long-enough-to-be-one", "HOST_PIPED_FD": str(descriptor)}
        assert {name: value for name, value in login.environment.items() if name.startswith("HOST")} == wanted
        assert os.read(descriptor, 1000).decode() == TOKEN[::-1]
        assert set(login.secrets) == {TOKEN.encode(), TOKEN[::-1].encode()}


def test_the_file_is_copied_for_nobody_else_to_read_and_is_gone_afterwards(user: Path, home: Path) -> None:
    (user / "auth.json").write_text(json.dumps({"tokens": [{"access": TOKEN}], "short": "abc"}))
    copy = home / ".host" / "auth.json"
    with given(LOGIN, home) as login:
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert login.secrets == (TOKEN.encode(),)
    assert not copy.exists()


def test_a_token_that_the_host_renewed_goes_back_to_its_user(user: Path, home: Path) -> None:
    original = user / "auth.json"
    original.write_text('{"token": "old"}')
    original.chmod(0o600)
    with given(LOGIN, home):
        (home / ".host" / "auth.json").write_text('{"token": "new"}')
    assert json.loads(original.read_text()) == {"token": "new"}
    assert stat.S_IMODE(original.stat().st_mode) == 0o600


def test_a_login_that_changed_meanwhile_or_was_broken_stays_as_the_user_has_it(user: Path, home: Path) -> None:
    original = user / "auth.json"
    original.write_text('{"token": "old"}')
    with given(LOGIN, home):
        (home / ".host" / "auth.json").write_text('{"token": "new"}')
        original.write_text('{"token": "mine"}')
    assert original.read_text() == '{"token": "mine"}'
    with given(LOGIN, home):
        (home / ".host" / "auth.json").write_text("rubbish")
    assert original.read_text() == '{"token": "mine"}'


def test_without_any_login_nothing_is_given(user: Path, home: Path) -> None:
    with given(LOGIN, home) as login:
        assert (login.descriptors, login.secrets, login.has_file) == ((), (), False)
    assert list(home.iterdir()) == []


def test_a_secret_in_an_answer_is_masked_where_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "answer"
    path.write_bytes(b"intent\n")
    with path.open("ab+", buffering=0) as answer:
        answer.write(f"it is {TOKEN}\n".encode())
        clean = scrub(answer.fileno(), 7, f"it is {TOKEN}\n".encode(), (TOKEN.encode(),))
    assert clean == b"it is [login]\n"
    with (tmp_path / "other").open("w+b", buffering=0) as answer:  # whoever asks may not have opened it to append
        answer.write(f"intent\nit is {TOKEN}\n".encode())
        scrub(answer.fileno(), 7, f"it is {TOKEN}\n".encode(), (TOKEN.encode(),))
    assert (tmp_path / "other").read_bytes() == b"intent\nit is [login]\n"
    assert path.read_bytes() == b"intent\nit is [login]\n"
    assert masked(b"nothing", (TOKEN.encode(),)) == b"nothing"
