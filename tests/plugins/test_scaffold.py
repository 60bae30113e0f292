"""What `selftune plugins new` writes, as somebody uses it: a fresh environment, the built wheel, its own tests."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from selftune_build.__main__ import main
from selftune_build.plugins.kinds import Kind
from tests.plugins.conftest import pip_install


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with nothing but the wheel of this checkout and what it needs; its Python."""
    folder = tmp_path_factory.mktemp("fresh")
    checkout = Path(__file__).parents[2]
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder, checkout, cwd=folder)
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    (wheel,) = folder.glob("*.whl")
    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", f"{wheel}[testing]", cwd=folder)
    return python


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(Kind), ids=str)
def test_a_new_plugin_installs_and_its_tests_pass(kind: Kind, fresh: Path, tmp_path: Path) -> None:
    assert main(["plugins", "new", "--kind", kind.value, "my-own", str(tmp_path)]) == 0
    project = tmp_path / f"selftune-{kind}-my-own"
    run(fresh, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-e", f"{project}[dev]", cwd=tmp_path)
    assert " passed" in run(fresh, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=project)
    run(fresh, "-m", "pip", "uninstall", "-q", "-y", project.name, cwd=tmp_path)


def test_the_code_of_a_new_gate_passes_its_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["plugins", "new", "--kind", "gate", "my-own", str(tmp_path)]) == 0
    project = tmp_path / "selftune-gate-my-own"
    pip_install(tmp_path / "site", project)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    assert " passed" in run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=project)


@pytest.mark.parametrize("kind", list(Kind), ids=str)
def test_what_is_written_is_in_the_style_of_this_house(kind: Kind, tmp_path: Path) -> None:
    assert main(["plugins", "new", "--kind", kind.value, "my-own", str(tmp_path)]) == 0
    ruff = Path(sys.executable).with_name("ruff")
    config = Path(__file__).parents[2] / "pyproject.toml"
    code = str(tmp_path / f"selftune-{kind}-my-own/src")
    run(ruff, "check", "-q", "--no-cache", "--config", config, code, cwd=tmp_path)
    run(ruff, "format", "-q", "--no-cache", "--check", "--config", config, code, cwd=tmp_path)
