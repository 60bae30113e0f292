"""Workspaces for the tests of faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fault.course import Course
from tests.fault.errands import Errand
from tests.fault.faulty import Faulty
from tests.fault.storage import Proxy, proxied
from tests.fault.workspace import Workspace, all_gone


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Workspace]]:
    """Make a workspace; in the end no agent is left behind, whatever the test did."""
    made: list[Workspace] = []

    def make(name: str = "one", **options: Any) -> Workspace:
        made.append(Workspace(tmp_path / name, **options))
        return made[-1]

    yield make
    for each in made:
        each.go()
        all_gone(each.children())


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    """The port of an S3 server."""
    from moto.server import ThreadedMotoServer  # takes a second, which only the tests of remotes need

    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    yield running.get_host_and_port()[1]
    running.stop()


@pytest.fixture
def proxy(server: int) -> Iterator[Proxy]:
    """A proxy before it."""
    with proxied(server) as made:
        yield made


@pytest.fixture
def workspace(make: Callable[..., Workspace]) -> Workspace:
    """A workspace of two samples a row."""
    return make()


@pytest.fixture(scope="module")
def faulty() -> Iterator[Faulty]:
    server = Faulty()
    yield server
    server.close()


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, faulty: Faulty) -> Callable[[Errand], Course]:
    made: dict[str, Course] = {}

    def of(errand: Errand) -> Course:
        if errand.name not in made:
            made[errand.name] = Course(errand, tmp_path_factory.mktemp(errand.name), faulty)
        return made[errand.name]

    return of
