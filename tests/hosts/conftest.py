"""Real host programs against a scripted model. They fail where the programs are missing: `make hosts` installs them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from selftune_build.testing.model_server import ModelServer, Say
from tests.hosts.hosts import HOSTS, PROGRAMS, Bench


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.hosts)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(lambda conversation: Say("NO-SCRIPT")) as running:
        yield running


@pytest.fixture(params=list(HOSTS))
def host(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return installed(name)


@pytest.fixture
def codex() -> str:
    return installed("codex")


def installed(name: str) -> str:
    """The name, of a program that is there."""
    if not (PROGRAMS / name).exists():
        pytest.fail(f"the program {name} is not in .hosts: run `make hosts`")
    return name


@pytest.fixture(autouse=True)
def _on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(PROGRAMS), prepend=os.pathsep)


@pytest.fixture
def bench(tmp_path: Path, host: str, server: ModelServer) -> Bench:
    return Bench(tmp_path, host, server)
