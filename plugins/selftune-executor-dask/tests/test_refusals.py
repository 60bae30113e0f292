"""Workers and schedulers that a build cannot work with, told before anything is paid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from selftune_build.testing import SkillWorkspace

Make = Callable[..., Any]

# As if a folder were not mounted where the worker runs: nothing in it can be opened.
BLIND = """
import errno, sys
def blind(event, arguments):
    if event == "open" and str(arguments[0]).startswith({folder!r}):
        raise FileNotFoundError(errno.ENOENT, "not mounted here", str(arguments[0]))
sys.addaudithook(blind)
"""
OLD = """
import selftune_build
selftune_build.__version__ = "0.0.1"
"""


@pytest.fixture
def blinding(start_cluster: Make) -> Make:
    """Adds a worker that runs this code first to a cluster of one that works."""

    def add(code: str) -> Any:
        cluster = start_cluster(1)
        cluster.add(1, preload=code)
        return cluster

    return add


def refused(skill: SkillWorkspace, cluster: Any, ledger: Any) -> tuple[str, str]:
    """The message and what helps, of a build that ends with 3 and has asked nobody."""
    finished = skill.run("build", "verify", "--json", "--executor", cluster.url)
    assert (finished.status, ledger.calls("asked")) == (3, []), finished.stderr
    error = finished.document["error"]
    assert error["code"] == "executor-refused"
    return error["message"], error["fix"]


@pytest.mark.slow
def test_a_worker_that_does_not_see_the_store_is_refused(workspace: Make, blinding: Make, ledger: Any) -> None:
    skill = workspace(2)
    store = skill.environment["SELFTUNE_STORE"]
    message, fix = refused(skill, blinding(BLIND.format(folder=store)), ledger)
    assert f"is refused: it does not see the store {store}" in message
    assert "mount it on every worker by the same path" in fix


@pytest.mark.slow
def test_a_worker_that_does_not_see_the_workspace_is_refused(workspace: Make, blinding: Make, ledger: Any) -> None:
    skill = workspace(2)
    message, fix = refused(skill, blinding(BLIND.format(folder=str(skill.root / "brew"))), ledger)
    assert f"it does not see the workspace {skill.root}" in message
    assert "mount it on every worker by the same path" in fix


@pytest.mark.slow
def test_a_worker_with_another_version_is_refused(workspace: Make, blinding: Make, ledger: Any) -> None:
    message, fix = refused(workspace(2), blinding(OLD), ledger)
    assert "it has selftune-build 0.0.1, the build " in message
    assert fix == "install the same version on both"


@pytest.mark.slow
def test_a_worker_that_comes_later_is_refused_too(workspace: Make, start_cluster: Make, start_build: Make, ledger: Any) -> None:
    skill, cluster = workspace(10), start_cluster(1)
    ledger.hold()
    build = start_build(skill, "--executor", cluster.url)
    cluster.wait(lambda: ledger.calls("asked"))
    cluster.add(1, preload=BLIND.format(folder=skill.environment["SELFTUNE_STORE"]))
    cluster.kill(cluster.workers[0])
    ledger.release()
    status, report = build.end()
    assert status == 3
    assert "does not see the store" in str(report)
    assert len(ledger.calls("asked")) == len(skill.archives()) == 1


def test_nobody_answers(workspace: Make) -> None:
    finished = workspace(1).run("build", "verify", "--executor", "dask://127.0.0.1:9")
    assert finished.status == 3
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in finished.stderr
    assert "start one with `dask scheduler`" in finished.stderr


def test_a_scheduler_without_workers(workspace: Make, start_cluster: Make) -> None:
    cluster = start_cluster(0)
    finished = workspace(1).run("build", "verify", "--executor", cluster.url)
    assert finished.status == 3
    assert f"{cluster.url} has no worker" in finished.stderr


@pytest.mark.parametrize("url", ["dask://", "dask://host", "dask://host:none", "dask://host:1/path", "dask://me@host:1"])
def test_a_url_that_names_no_scheduler(url: str, workspace: Make) -> None:
    finished = workspace(1).run("build", "verify", "--executor", url)
    assert finished.status == 2
    assert "dask://HOST:PORT" in finished.stderr


def test_never_under_locked(workspace: Make) -> None:
    finished = workspace(1).run("build", "verify", "--locked", "--executor", "dask://127.0.0.1:9")
    assert finished.status == 2
    assert "--locked runs nothing" in finished.stderr
