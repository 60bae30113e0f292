"""Workspaces for the tests of faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

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


@pytest.fixture
def workspace(make: Callable[..., Workspace]) -> Workspace:
    """A workspace of two samples a row."""
    return make()
