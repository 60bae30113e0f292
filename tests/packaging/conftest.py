"""The checkout that is packaged, and its two distributions, built once."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packaging.distributions import Distributions
from tests.property.kitchen import kitchen
from tests.property.workspace import Workspace


@pytest.fixture(scope="session")
def checkout() -> Path:
    return Path(__file__).parents[2]


@pytest.fixture
def built_workspace(tmp_path: Path) -> Workspace:
    """A workspace with its locks and its store."""
    workspace = kitchen(tmp_path / "workspace", tmp_path / "ledger")
    assert workspace.build().status == 0
    return workspace


@pytest.fixture(scope="session")
def distributions(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """Build as a release does: the sdist from the checkout, the wheel from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(checkout)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = frozenset(archive.namelist())
        (metadata,) = [archive.read(name).decode() for name in in_wheel if name.endswith(".dist-info/METADATA")]
    with tarfile.open(sdist) as archive:
        in_sdist = frozenset(member.name.partition("/")[2] for member in archive.getmembers() if member.isfile())
    return Distributions(in_wheel, in_sdist, metadata)
