"""What others put into their CI: valid by the schemas of its hosts, found harmless by a linter, and run here for real."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from selftune_build.scaffold.editor import EDITOR_LINE, SCHEMA_URL
from tests.cli.repository import committed, git
from tests.property.workspace import Workspace, plain_environment

WORKFLOWS = (
    ".github/workflows/selftune.yml",
    "examples/ci/github/gate.yml",
    "examples/ci/github/measure.yml",
    "examples/ci/github/refresh.yml",
)


def tool(*arguments: str, checkout: Path) -> subprocess.CompletedProcess[str]:
    """One of the tools of this environment."""
    program, *rest = arguments
    path = Path(sys.executable).with_name(program)
    return subprocess.run([path, *rest], cwd=checkout, capture_output=True, text=True, check=False)


def loaded(path: Path) -> Any:
    """A YAML file as data."""
    return yaml.load(path.read_text(), yaml.SafeLoader)


def test_a_linter_of_workflows_finds_nothing(checkout: Path) -> None:
    options = ("--offline", "--no-progress", "--persona=auditor", "--format=json")
    done = tool("zizmor", *options, "action.yml", *WORKFLOWS, checkout=checkout)
    assert (done.returncode, json.loads(done.stdout)) == (0, []), done.stderr


def test_the_linter_would_find_something(tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text("on: pull_request_target\njobs: {a: {runs-on: x, steps: [{uses: a/b@main}]}}\n")
    done = tool("zizmor", "--offline", "--no-progress", "--format=json", "bad.yml", checkout=tmp_path)
    assert json.loads(done.stdout) != []


@pytest.mark.parametrize(
    ("schema", "files", "more"),
    [
        ("vendor.github-actions", ("action.yml",), ()),
        ("vendor.github-workflows", WORKFLOWS, ()),
        ("vendor.gitlab-ci", ("examples/ci/gitlab/selftune.gitlab-ci.yml",), ("--data-transform", "gitlab-ci")),
    ],
)
def test_files_are_what_the_schemas_of_their_hosts_ask_for(
    checkout: Path, schema: str, files: tuple[str, ...], more: tuple[str, ...]
) -> None:
    done = tool("check-jsonschema", "--builtin-schema", schema, *more, *files, checkout=checkout)
    assert done.returncode == 0, done.stdout


def test_every_foreign_action_is_pinned_by_a_whole_hash_with_its_version_beside_it(checkout: Path) -> None:
    uses = [line for name in WORKFLOWS for line in (checkout / name).read_text().splitlines() if "uses:" in line]
    assert len(uses) >= 7
    assert [line for line in uses if not re.search(r"uses: [\w./-]+@[0-9a-f]{40} # ", line)] == []


def test_every_script_is_sound_by_a_linter_of_shells(checkout: Path, tmp_path: Path) -> None:
    scripts = [step["run"] for step in loaded(checkout / "action.yml")["runs"]["steps"]]
    for job in loaded(checkout / WORKFLOWS[0])["jobs"].values():
        scripts += [step["run"] for step in job["steps"] if "run" in step]
    assert len(scripts) >= 7
    for position, script in enumerate(scripts):
        (tmp_path / f"{position}.sh").write_text(f"#!/bin/bash\n{script}")
    done = tool("shellcheck", "--severity=warning", *map(str, sorted(tmp_path.iterdir())), checkout=checkout)
    assert done.returncode == 0, done.stdout


def step_of(path: Path, job: str | None, name: str) -> str:
    """The script of a step by its name."""
    document = loaded(path)
    steps = document["runs"]["steps"] if job is None else document["jobs"][job]["steps"]
    (found,) = (step["run"] for step in steps if step.get("name") == name)
    return str(found)


def run_step(script: str, folder: Path, temporary: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script as a runner does, with the tool of this environment where the step looks for it."""
    programs = temporary / "selftune/bin"
    if not programs.exists():
        programs.mkdir(parents=True)
        (programs / "selftune").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m selftune_build "$@"\n')
        (programs / "selftune").chmod(0o755)
    variables = {**plain_environment(), "RUNNER_TEMP": str(temporary), "HOME_OF_TOOL": str(temporary / "selftune"), **environment}
    bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(bash, cwd=folder, env=variables, capture_output=True, text=True, check=False)


def test_the_action_gates_by_the_locks_and_hands_on_the_exit_status(
    built_workspace: Workspace, checkout: Path, tmp_path: Path
) -> None:
    script = step_of(checkout / "action.yml", None, "Verify")
    settings = {"DIRECTORY": ".", "TARGETS": "brew\n\n", "POLICY": "", "SINCE": "", "SARIF": str(tmp_path / "found.sarif")}
    output = tmp_path / "output"
    passed = run_step(script, built_workspace.root, tmp_path, GITHUB_OUTPUT=str(output), **settings)
    assert (passed.returncode, output.read_text()) == (0, "exit-status=0\n"), passed.stderr
    assert json.loads((tmp_path / "found.sarif").read_text())["version"] == "2.1.0"
    built_workspace.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans slowly.")
    refused = run_step(script, built_workspace.root, tmp_path, GITHUB_OUTPUT=str(output), **settings)
    assert (refused.returncode, output.read_text()) == (1, "exit-status=0\nexit-status=1\n")
    assert "::error file=brew/" in refused.stdout


def test_a_target_is_one_word_whatever_it_holds(built_workspace: Workspace, checkout: Path, tmp_path: Path) -> None:
    script = step_of(checkout / "action.yml", None, "Verify")
    settings = {"DIRECTORY": ".", "TARGETS": "$(touch owned); --html=x", "POLICY": "", "SINCE": "", "SARIF": ""}
    done = run_step(script, built_workspace.root, tmp_path, GITHUB_OUTPUT=os.devnull, **settings)
    assert done.returncode == 2
    assert "there is no package '$(touch owned); --html=x' here" in done.stderr
    assert not (built_workspace.root / "owned").exists()


def test_the_measuring_job_takes_whole_hashes_only(checkout: Path, tmp_path: Path) -> None:
    script = step_of(checkout / WORKFLOWS[0], "measure", "A commit is named by all of its hash")
    commits = ("a" * 40, "main", "a" * 39, "")
    answers = {commit: run_step(script, tmp_path, tmp_path, COMMIT=commit).returncode for commit in commits}
    assert answers == {"a" * 40: 0, "main": 1, "a" * 39: 1, "": 1}


def test_the_measuring_job_hands_out_the_locks_as_a_patch_that_makes_the_gate_pass(
    built_workspace: Workspace, checkout: Path, tmp_path: Path
) -> None:
    root = built_workspace.root
    shutil.rmtree(root / ".selftune", ignore_errors=True)
    (root / "bake/selftune.lock").unlink()
    built_workspace.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans slowly.")
    commit = committed(root)
    workflow = checkout / WORKFLOWS[0]
    settings = {"DIRECTORY": ".", "AGENT": "", "MAX_COST": "5", "RESAMPLE": "0", "TEST_LEDGER": str(built_workspace.ledger)}
    measured = run_step(step_of(workflow, "measure", "Measure"), root, tmp_path, **settings)
    assert measured.returncode == 0, measured.stderr
    run_step(step_of(workflow, "measure", "The locks as a patch"), root, tmp_path, COMMIT=commit)
    patch = tmp_path / "selftune-lock.patch"
    changed = set(re.findall(r"^\+\+\+ b/(.*)$", patch.read_text(), re.MULTILINE))
    assert changed == {"bake/selftune.lock", "brew/selftune.lock"}
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(root), str(clone))
    gate = step_of(workflow, "gate", "Verify")
    assert run_step(gate, clone, tmp_path, DIRECTORY=".", BASE="").returncode == 1
    git(clone, "apply", str(patch))
    assert run_step(gate, clone, tmp_path, DIRECTORY=".", BASE="").returncode == 0


@pytest.mark.slow
def test_pre_commit_runs_the_gate_from_this_repository(built_workspace: Workspace, checkout: Path, tmp_path: Path) -> None:
    """The hook as a stranger gets it: pre-commit clones the repository and installs it into an environment of its own."""
    source = tmp_path / "source"
    left = shutil.ignore_patterns(".git", ".venv", ".hosts", ".selftune", ".*_cache", ".hypothesis")
    shutil.copytree(checkout, source, ignore=left)
    revision = committed(source)
    root = built_workspace.root
    hooks = {"repos": [{"repo": str(source), "rev": revision, "hooks": [{"id": "selftune-verify"}]}]}
    (root / ".pre-commit-config.yaml").write_text(json.dumps(hooks))
    committed(root)
    environment = {**plain_environment(), "PRE_COMMIT_HOME": str(tmp_path / "home")}
    program = [Path(sys.executable).with_name("pre-commit"), "run", "--all-files", "--verbose"]

    def hook() -> subprocess.CompletedProcess[str]:
        return subprocess.run(program, cwd=root, env=environment, capture_output=True, text=True, check=False)

    passed = hook()
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "judged from tree and lock alone" in passed.stdout
    built_workspace.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans slowly.")
    assert hook().returncode == 1


def test_the_entry_for_the_catalog_of_schemas_names_what_the_manifests_point_to(checkout: Path) -> None:
    page = (checkout / "docs/editor.md").read_text()
    entry = json.loads(page.partition("```json\n")[2].partition("```")[0])
    assert entry["url"] == SCHEMA_URL
    assert entry["fileMatch"] == ["selftune.yaml"]
    assert EDITOR_LINE in page
