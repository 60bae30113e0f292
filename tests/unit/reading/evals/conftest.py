"""A package in memory, and its eval files read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from selftune_build.engine.load import CANDIDATES
from selftune_build.model.manifest import Limits
from selftune_build.reading.evals import EvalReading, read_eval_files, read_unit_tests

Files = dict[str, Any]
Suite = Callable[..., EvalReading]
DEFAULT = Limits()


def as_bytes(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


def reader(files: Files) -> Callable[[str], bytes]:
    def read(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(2, "No such file or directory", path)
        return as_bytes(files[path])

    return read


@pytest.fixture
def evals() -> Suite:
    """Reads the eval files among the files of a package; data that is not text is written as JSON."""

    def call(
        files: Files, *paths: str, explicit: bool = False, limits: Limits = DEFAULT, taken: tuple[str, ...] = (), home: str = ""
    ) -> EvalReading:
        suites = tuple(path for path in files if path.startswith("evals/") and path.endswith(CANDIDATES))
        return read_eval_files(
            paths or suites,
            reader(files),
            explicit,
            package_name="pdf",
            limits=limits,
            taken=taken,
            tree=sorted(files),
            home=home,
        )

    return call


@pytest.fixture
def unit_tests() -> Suite:
    """Reads the unit-test files among the files of a package."""

    def call(files: Files, *paths: str, explicit: bool = False, taken: tuple[str, ...] = ()) -> EvalReading:
        chosen = paths or tuple(path for path in files if path.startswith("tests/"))
        return read_unit_tests(chosen, reader(files), explicit, package_name="pdf", taken=taken)

    return call
