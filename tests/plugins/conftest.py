"""The example plugin, installed by pip, and workspaces to use it in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from selftune_build.testing.workspace import SkillWorkspace, skill_workspace
from tests.environments import copied_environment, core_environment, install
from tests.plugins.site_folder import SiteFolder

__all__ = ["skill_workspace"]

EXAMPLES = Path(__file__).parent / "examples"


def pip_install(target: Path, *projects: Path) -> None:
    """Build and install projects as users do, without their dependencies, which are those of this environment."""
    options = ["-q", "--disable-pip-version-check", "--no-input", "--no-deps", "--no-build-isolation", "--target", str(target)]
    command = [sys.executable, "-m", "pip", "install", *options, *map(str, projects)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def example_site(tmp_path_factory: pytest.TempPathFactory) -> SiteFolder:
    """A folder with the distribution selftune-example."""
    site = SiteFolder(tmp_path_factory.mktemp("example") / "site")
    pip_install(site.path, EXAMPLES / "selftune-example")
    return site


@pytest.fixture
def with_example(skill_workspace: SkillWorkspace, example_site: SiteFolder) -> SkillWorkspace:
    """A workspace whose commands see the example plugin."""
    skill_workspace.environment.update(example_site.environment)
    return skill_workspace


@pytest.fixture
def site(tmp_path: Path) -> SiteFolder:
    """An empty folder of installed distributions."""
    return SiteFolder(tmp_path / "site")


@pytest.fixture
def plugged(skill_workspace: SkillWorkspace, site: SiteFolder) -> SkillWorkspace:
    """A workspace whose commands see what a test installs in `site`."""
    skill_workspace.environment.update(site.environment)
    return skill_workspace


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with nothing but the wheel of this checkout, its tests' needs included; its Python."""
    folder = tmp_path_factory.mktemp("fresh")
    python = copied_environment(core_environment(tmp_path_factory), folder / "venv")
    install(python, "selftune-build[testing]", cwd=folder)
    return python
