"""Fixtures of the tests on `selftune build`: a workspace that has been built once, copied for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.shop import Shop
from tests.cli.storing import paid_kitchen
from tests.property.kitchen import kitchen
from tests.property.workspace import Workspace


@pytest.fixture(scope="session")
def built_kitchen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a kitchen with its locks and its store."""
    folder = tmp_path_factory.mktemp("kitchen")
    assert kitchen(folder / "workspace", folder / "ledger").build().status == 0
    return folder


@pytest.fixture
def built(built_kitchen: Path, tmp_path: Path) -> Workspace:
    """A kitchen of one's own, everything in it up to date and its ledger empty."""
    shutil.copytree(built_kitchen / "workspace", tmp_path / "workspace", symlinks=True)
    return Workspace(tmp_path / "workspace", tmp_path / "ledger")


@pytest.fixture
def noted(built: Workspace) -> Workspace:
    """As `built`, and built again where it stands: what every row depended on is noted for this folder."""
    assert built.build().calls == []
    return built


@pytest.fixture
def fresh(tmp_path: Path) -> Workspace:
    """A kitchen that was never built."""
    return kitchen(tmp_path / "workspace", tmp_path / "ledger")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shop:
    """Two skills and an agent that answers questions, with a store and a ledger of its own."""
    monkeypatch.setenv("SELFTUNE_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("TEST_LEDGER", str(tmp_path / "ledger"))
    return Shop(tmp_path / "shop", capsys)


@pytest.fixture(scope="session")
def live_kitchen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a workspace whose evidence is that of a real agent, as far as its manifest says."""
    folder = tmp_path_factory.mktemp("live")
    assert kitchen(folder / "workspace", folder / "ledger", origin="live").build().status == 0
    return folder


@pytest.fixture
def live(live_kitchen: Path, tmp_path: Path) -> Workspace:
    """Such a workspace of one's own."""
    shutil.copytree(live_kitchen / "workspace", tmp_path / "workspace", symlinks=True)
    return Workspace(tmp_path / "workspace", tmp_path / "ledger")


@pytest.fixture(scope="session")
def paid_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a kitchen whose agent bills every call."""
    return paid_kitchen(tmp_path_factory.mktemp("paid")).root


@pytest.fixture
def paid(paid_folder: Path, tmp_path: Path) -> Workspace:
    """A store of eight samples for 0.10 USD."""
    shutil.copytree(paid_folder, tmp_path / "workspace", symlinks=True)
    return Workspace(tmp_path / "workspace", tmp_path / "ledger")
