"""What several hosts ask of a session: an endpoint of its own, nothing from above its workspace, the log in its home."""

from __future__ import annotations

from pathlib import Path

import pytest

from selftune_build.agents.hosts import Session, is_of_endpoint, records, stop_search
from selftune_build.agents.hosts.login import Given


def session(folder: Path, model: str | None = None, **variables: str) -> Session:
    return Session("a prompt", model, folder / "home", folder / "root", "package", 10, Given(variables))


@pytest.mark.parametrize(
    ("model", "variables", "expected"),
    [
        ("local", {"OPENAI_BASE_URL": "http://x"}, True),
        ("org/local", {"OPENAI_BASE_URL": "http://x"}, True),
        ("openai/gpt-5.4", {"OPENAI_BASE_URL": "http://x"}, False),
        (None, {"OPENAI_BASE_URL": "http://x"}, False),
        ("local", {}, False),
    ],
)
def test_a_model_without_the_name_of_a_provider_is_one_of_the_endpoint(
    tmp_path: Path, model: str | None, variables: dict[str, str], expected: bool
) -> None:
    assert is_of_endpoint(session(tmp_path, model, **variables), ("anthropic", "openai")) is expected


def test_the_first_file_of_variables_above_a_workspace_is_an_empty_one(tmp_path: Path) -> None:
    for _ in range(2):  # a second time it is there already
        stop_search(session(tmp_path), ".own")
        assert (tmp_path / ".own/.env").read_bytes() == b""


def test_a_log_is_read_line_by_line_and_may_be_missing(tmp_path: Path) -> None:
    assert list(records(tmp_path / "none")) == list(records(tmp_path)) == []
    (tmp_path / "log").write_bytes(b'{"a": 1}\nwords\n{"broken\n[2]\n{"b": 2}\n')
    assert list(records(tmp_path / "log")) == [{"a": 1}, {"b": 2}]
