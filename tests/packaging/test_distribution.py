"""What wheel and sdist hold, file by file."""

from __future__ import annotations

import re
from pathlib import Path

from selftune_build import __version__
from tests.packaging.distributions import Distributions

DIST_INFO = f"selftune_build-{__version__}.dist-info"
LEFT_BY_TOOLS = re.compile(r"(^|/)(__pycache__|\.selftune|\.venv|\.git|\.DS_Store|\.hypothesis)(/|$)|\.pyc$")
SDIST_TOP = {
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "PKG-INFO",
    "README.md",
    "SECURITY.md",
    "changelog.d",
    "docs",
    "examples",
    "plugins",
    "pyproject.toml",
    "schemas",
    "selftune_build",
    "skill",
    "tests",
}


def package_files(checkout: Path) -> set[str]:
    """Every file of the package as it stands in the checkout."""
    found = (path.relative_to(checkout).as_posix() for path in (checkout / "selftune_build").rglob("*") if path.is_file())
    return {path for path in found if not LEFT_BY_TOOLS.search(path)}


def schema_names(checkout: Path) -> set[str]:
    return {path.name for path in (checkout / "schemas").glob("*.json")}


def test_the_wheel_holds_the_package_the_schemas_and_nothing_else(distributions: Distributions, checkout: Path) -> None:
    metadata = {f"{DIST_INFO}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")}
    schemas = {f"selftune_build/_schemas/{name}" for name in schema_names(checkout)}
    assert distributions.wheel == package_files(checkout) | schemas | metadata


def test_types_and_templates_are_part_of_the_package(checkout: Path) -> None:
    files = package_files(checkout)
    assert "selftune_build/py.typed" in files
    assert "selftune_build/scaffold/templates/SKILL.md.template" in files


def test_every_format_has_a_schema_with_its_major_version_in_the_name(checkout: Path) -> None:
    names = schema_names(checkout)
    assert {"selftune-manifest-1.json", "selftune-lock-1.json", "selftune-report-1.json"} <= names
    assert [name for name in names if not re.fullmatch(r"selftune-[a-z-]+-\d+\.json", name)] == []


def test_the_sdist_holds_what_a_build_and_a_test_run_need(distributions: Distributions, checkout: Path) -> None:
    expected = package_files(checkout) | {f"schemas/{name}" for name in schema_names(checkout)}
    expected |= {"LICENSE", "README.md", "Makefile", "pyproject.toml", "tests/packaging/test_distribution.py"}
    assert expected - distributions.sdist == set()


def test_the_sdist_holds_nothing_beside_what_is_listed(distributions: Distributions) -> None:
    assert {name.partition("/")[0] for name in distributions.sdist} <= SDIST_TOP
    assert [name for name in distributions.sdist if LEFT_BY_TOOLS.search(name)] == []


def test_the_metadata_names_licence_python_and_version(distributions: Distributions) -> None:
    lines = distributions.metadata.splitlines()
    assert {"Name: selftune-build", f"Version: {__version__}", "License-Expression: MIT", "Requires-Python: >=3.11"} <= set(lines)


def test_every_dependency_has_a_lower_bound_and_no_upper_one(distributions: Distributions) -> None:
    needs = [
        line.removeprefix("Requires-Dist: ") for line in distributions.metadata.splitlines() if line.startswith("Requires-Dist: ")
    ]
    needed = [need for need in needs if "extra ==" not in need]
    assert len(needed) >= 13
    assert [need for need in needed if not re.fullmatch(r"[a-z0-9-]+>=[0-9.]+", need, re.IGNORECASE)] == []
