"""Each distribution as users have it: its wheel, in an environment with nothing but the core and what its tests need."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.environments import CHECKOUT, build_wheel, copied_environment, core_environment, install, run

PROJECTS = sorted(path for path in (CHECKOUT / "plugins").iterdir() if path.is_dir() and not path.name.startswith((".", "__")))
"""Every folder: one that is no distribution fails below, and is not left out."""
OWN_VARIABLES = ("PYTHON", "SELFTUNE", "PYTEST", "COV_", "COVERAGE", "VIRTUAL_ENV")
ORIGIN_TEST = """
import sys
from importlib import import_module
from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["selftune_build", "selftune_build.testing", "{package}"])
def test_what_is_tested_is_what_was_installed(name: str) -> None:
    assert Path(import_module(name).__file__).is_relative_to(Path(sys.prefix, "lib"))
"""


@pytest.fixture(scope="session")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the core's wheel and what it needs; its Python."""
    return core_environment(tmp_path_factory)


def environment() -> dict[str, str]:
    """Nothing of this process' own Python."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OWN_VARIABLES)}


def selftune(python: Path, *arguments: str, cwd: Path) -> dict[str, Any]:
    """The document of a command that succeeds."""
    document: dict[str, Any] = json.loads(
        run(python, "-P", "-m", "selftune_build", *arguments, "--json", cwd=cwd, environment=environment())
    )
    return document


def test_the_distributions_are_those_that_the_documentation_names() -> None:
    """So one that is gone is missed, and one that is new is told of."""
    texts = [path.read_text(encoding="utf-8") for path in (CHECKOUT / "README.md", *(CHECKOUT / "docs").glob("*.md"))]
    named = {name for text in texts for name in re.findall(r"plugins/(selftune-[a-z-]+)/README\.md", text)}
    assert named == {path.name for path in PROJECTS}


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_a_distribution_is_named_as_its_folder_and_brings_code_tests_and_a_licence(project: Path) -> None:
    settings = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    points = settings["project"]["entry-points"]["selftune_build.plugins"]
    package = project.name.replace("-", "_")
    assert settings["project"]["name"] == project.name
    assert {module.partition(".")[0] for module in points.values()} == {package}
    assert "dev" in settings["project"]["optional-dependencies"]
    wanted = ("LICENSE", "README.md", f"src/{package}/__init__.py", "tests/test_conformance.py")
    assert [name for name in wanted if not (project / name).is_file()] == []


def test_no_test_of_the_core_needs_a_plugin_of_ours() -> None:
    """Those of real hosts drive them; all others pass without (`make bare`)."""
    packages = "|".join(project.name.replace("-", "_") for project in PROJECTS)
    imported = re.compile(rf"^\s*(?:from|import) (?:{packages})\b", re.MULTILINE)
    tests = [path for path in (CHECKOUT / "tests").rglob("*.py") if "hosts" not in path.parts]
    assert len(tests) > 300
    assert [path.name for path in tests if imported.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.slow
def test_the_core_alone_writes_a_skill_builds_it_and_gates_it(core: Path, tmp_path: Path) -> None:
    assert subprocess.run([core, "-c", "import pytest"], capture_output=True, env=environment()).returncode == 1
    assert run(core.with_name("selftune"), "--version", cwd=tmp_path, environment=environment()).startswith("selftune")
    document = selftune(core, "plugins", "list", cwd=tmp_path)
    assert [plugin["name"] for plugin in document["plugins"]] == ["selftune-build"]
    selftune(
        core, "create", "init", "--name", "notes", "--description", "Outlines notes. Use for what is in a text.", cwd=tmp_path
    )
    for arguments in ((), ("--locked",)):
        report = selftune(core, "build", "verify", *arguments, cwd=tmp_path / "notes")
        assert (report["verdict"], report["exit_code"]) == ("pass", 0)


@pytest.mark.slow
@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_the_wheel_of_a_plugin_passes_its_tests_and_its_suites_beside_the_core(project: Path, core: Path, tmp_path: Path) -> None:
    python = copied_environment(core, tmp_path / "venv")
    install(python, f"{build_wheel(project, tmp_path / 'wheel')}[dev]", cwd=tmp_path)
    plugins = selftune(python, "plugins", "list", cwd=tmp_path)["plugins"]
    assert [plugin["name"] for plugin in plugins] == ["selftune-build", project.name]
    plugin = plugins[1]
    assert (plugin["faults"], Path(plugin["location"]).is_relative_to(tmp_path / "venv")) == ([], True)
    tests = shutil.copytree(project / "tests", tmp_path / project.name / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    code = "".join(path.read_text(encoding="utf-8") for path in tests.glob("*.py"))
    suites = {f"{supplied['kind'].capitalize()}Contract" for supplied in plugin["supplies"]}
    assert {suite for suite in suites if f"({suite})" not in code} == set()
    (tests / "test_origin.py").write_text(ORIGIN_TEST.format(package=project.name.replace("-", "_")))
    fast = ("-m", "not slow")  # the slow ones run from the checkout
    command = [python, "-P", "-m", "pytest", "-q", *fast, "--import-mode=importlib", "-p", "no:cacheprovider", "."]
    assert " passed" in run(*command, cwd=tests.parent, environment=environment())
