"""Who may import whom, and what an answer without any work may cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROBE = """
import json, sys
before = set(sys.modules)
from selftune_build.__main__ import main
status = main(json.loads(sys.argv[1]))
names = {name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)
own = sum(name.startswith("selftune_build") for name in sys.modules)
print(json.dumps({"status": status, "modules": sorted(names), "own": own}), file=sys.stderr)
"""

HEAVY = {"networkx", "jsonschema", "rich", "bm25s", "numpy", "skills_ref", "markdown_it", "strictyaml", "pluggy", "scipy"}


def imported_by(*arguments: str, folder: Path | None = None) -> dict[str, Any]:
    """Exit status and top-level third-party modules of one command line in a fresh interpreter."""
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    result = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        env={**os.environ, **paths},
    )
    answer: dict[str, Any] = json.loads(result.stderr.splitlines()[-1])
    return answer


@pytest.mark.parametrize(
    "arguments", [("--version",), ("--help",), (), ("biuld",)], ids=["version", "help", "nothing", "mistyped"]
)
def test_nothing_third_party_is_imported_before_the_command_is_known(arguments: tuple[str, ...]) -> None:
    assert imported_by(*arguments)["modules"] == ["selftune_build"]


def test_a_new_package_is_written_without_any_heavy_import(tmp_path: Path) -> None:
    answer = imported_by("create", "init", "--name", "a", "--description", "b", folder=tmp_path)
    assert answer["status"] == 0
    assert (tmp_path / "a" / "SKILL.md").exists()
    assert HEAVY & set(answer["modules"]) == set()


NEVER = HEAVY | {"referencing", "attr", "pydantic", "dulwich", "fsspec", "cryptography", "zstandard"}
MODULES = 320
"""Of ours; each costs a third of a millisecond."""


@pytest.mark.parametrize("options", [("--dry-run",), ("--locked",)], ids=" ".join)
def test_a_plan_and_a_gate_load_nothing_heavy_and_not_much(options: tuple[str, ...], tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "SKILL.md").write_text(f"---\nname: {name}\ndescription: Does {name}.\n---\n\nDo it.\n")
    (tmp_path / "selftune.yaml").write_text(
        '{"version": 1, "workspace": {"members": ["*"]}, "defaults": {"gates": {"spec": {}}}}'
    )
    answer = imported_by("build", *options, folder=tmp_path)
    assert NEVER & set(answer["modules"]) == set()
    assert answer["own"] <= MODULES


def test_the_import_contracts_hold(checkout: Path) -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=checkout)
    assert result.returncode == 0, result.stdout + result.stderr
    assert " 0 broken" in result.stdout
