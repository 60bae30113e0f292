"""Real packages in real repositories: what the gate says of an edit, of a clone without history, and under `--locked`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from selftune_build.testing import SkillWorkspace, skill_workspace

__all__ = ["skill_workspace"]

AGENT = """
import json, pathlib, sys
request = json.load(sys.stdin)
text = pathlib.Path(request["skills"][0]["path"], "SKILL.md").read_text() if request["skills"] else ""
used = ["brew"] if "single word DONE" in text else []
json.dump({"output": "", "skills_used": used, "files_read": [], "tool_calls": []}, sys.stdout)
"""
MANIFEST = """
version: 1
agent: house
agents: {house: {type: command, argv: [python3, agent.py], deterministic: %s, free: true}}
competitors: none
gates: {not-worse: {%s}, trigger-recall: {min: 0}}
policy: {plugins: [selftune-gate-regression]}
"""


def git(folder: Path, *arguments: str) -> str:
    settings = [word for each in ("user.name=a", "user.email=a@b", "init.defaultBranch=main") for word in ("-c", each)]
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *settings, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def measured(workspace: SkillWorkspace, setting: str = "", deterministic: str = "true") -> None:
    """A package that was built and committed on `main`."""
    evals = "\n".join(f'  - {{id: c{n}, prompt: "brew {n}", should_trigger: true}}' for n in range(2))
    files = {
        "selftune.yaml": MANIFEST % (deterministic, setting),
        "agent.py": AGENT,
        "evals/evals.yaml": f"format: selftune.evals/1\ncases:\n{evals}\n",
    }
    workspace.skill("brew", files)
    workspace.run("build", "brew")
    git(workspace.root, "init")
    git(workspace.root, "add", ".")
    git(workspace.root, "commit", "-m", "measured")


def edit(workspace: SkillWorkspace, before: str, after: str) -> None:
    path = workspace.root / "brew/SKILL.md"
    path.write_text(path.read_text().replace(before, after))


def spoil(workspace: SkillWorkspace) -> None:
    edit(workspace, "single word DONE", "single word")


def verdict(workspace: SkillWorkspace, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit status and the gate."""
    report = workspace.report("brew", *arguments)
    (gate,) = [gate for gate in report["packages"][0]["gates"] if gate["id"] == "not-worse"]
    return report["exit_code"], gate


def test_what_was_not_measured_anew_is_not_worse(skill_workspace: SkillWorkspace) -> None:
    measured(skill_workspace, deterministic="false")
    status, gate = verdict(skill_workspace)
    assert (status, gate["verdict"], gate["required"]) == (0, "pass", True)
    commit = git(skill_workspace.root, "rev-parse", "HEAD")[:12]
    assert gate["message"] == f"every case has the evidence that it had where main was left ({commit})"


def test_an_edit_that_breaks_the_cases_is_refused_on_the_branch_and_under_locked(skill_workspace: SkillWorkspace) -> None:
    measured(skill_workspace)
    git(skill_workspace.root, "checkout", "-b", "edit")
    spoil(skill_workspace)
    status, gate = verdict(skill_workspace)
    assert (status, gate["verdict"]) == (1, "fail")
    assert "trigger -1.00" in gate["message"]
    git(skill_workspace.root, "commit", "-am", "spoilt")
    report = skill_workspace.report("brew", "--locked")
    problems = [problem["message"] for problem in report["packages"][0]["problems"] if problem["code"] == "gate-failed"]
    assert report["exit_code"] == 1
    assert [message for message in problems if message.startswith("not-worse: trigger -1.00")]


def test_an_edit_that_breaks_nothing_passes_on_the_branch_and_under_locked(skill_workspace: SkillWorkspace) -> None:
    measured(skill_workspace)
    git(skill_workspace.root, "checkout", "-b", "edit")
    edit(skill_workspace, "DONE.", "DONE. Serve it hot.")
    for arguments in ((), ("--locked",)):
        status, gate = verdict(skill_workspace, *arguments)
        assert (status, gate["verdict"]) == (0, "pass"), gate
        assert "no drop by 0.20" in gate["message"]


def test_few_samples_of_a_noisy_agent_decide_nothing_and_that_is_no_pass(skill_workspace: SkillWorkspace) -> None:
    measured(skill_workspace, deterministic="false")
    edit(skill_workspace, "DONE.", "DONE. Serve it hot.")
    status, gate = verdict(skill_workspace)
    assert (status, gate["verdict"]) == (3, "inconclusive")
    assert "a drop by 0.20 is not ruled out" in gate["message"]


def test_the_revision_of_the_settings_is_compared_with(skill_workspace: SkillWorkspace) -> None:
    measured(skill_workspace, setting="options: {revision: good}")
    git(skill_workspace.root, "tag", "good")
    spoil(skill_workspace)
    skill_workspace.run("build", "brew")
    git(skill_workspace.root, "commit", "-am", "spoilt")
    status, gate = verdict(skill_workspace, "--locked")
    assert (status, gate["verdict"]) == (1, "fail")
    assert "at good: worse" in gate["message"]


def test_a_history_that_is_not_in_the_clone_decides_nothing_and_the_command_is_told(skill_workspace: SkillWorkspace) -> None:
    measured(skill_workspace, setting="options: {revision: origin/release}")
    git(skill_workspace.root, "remote", "add", "origin", str(skill_workspace.root))
    status, gate = verdict(skill_workspace, "--locked")
    assert (status, gate["verdict"]) == (3, "inconclusive")
    assert gate["message"] == "the revision 'origin/release' is not in this clone"
    assert gate["advice"] == "git fetch origin +refs/heads/release:refs/remotes/origin/release"


def test_a_shallow_clone_tells_how_to_get_the_rest(skill_workspace: SkillWorkspace, tmp_path: Path) -> None:
    measured(skill_workspace)
    git(skill_workspace.root, "checkout", "-b", "edit")
    git(skill_workspace.root, "commit", "--allow-empty", "-m", "more")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth", "1", "--branch", "edit", f"file://{skill_workspace.root}", str(clone))
    status, gate = verdict(SkillWorkspace(clone), "--locked")
    assert (status, gate["verdict"]) == (3, "inconclusive")
    assert gate["advice"].startswith("git fetch")


def test_outside_a_repository_nothing_is_decided(skill_workspace: SkillWorkspace) -> None:
    measured(skill_workspace)
    (skill_workspace.root / ".git").rename(skill_workspace.root.parent / "elsewhere")
    status, gate = verdict(skill_workspace, "--locked")
    assert (status, gate["verdict"]) == (3, "inconclusive")


def test_the_verdict_stands_in_no_lock_and_a_lock_of_somebody_without_the_plugin_is_no_forgery(
    skill_workspace: SkillWorkspace,
) -> None:
    measured(skill_workspace)
    lock = skill_workspace.lock("brew")
    assert "not-worse" not in lock["agents"]["house"]["gates"]
    assert verdict(skill_workspace, "--locked")[0] == 0


def test_a_run_that_has_nothing_to_do_compares_all_the_same(skill_workspace: SkillWorkspace) -> None:
    measured(skill_workspace, setting="options: {revision: mark}")
    assert verdict(skill_workspace)[1]["verdict"] == "inconclusive"
    git(skill_workspace.root, "tag", "mark")
    assert verdict(skill_workspace)[1]["verdict"] == "pass"


def test_a_margin_that_cannot_be_tested_decides_nothing(skill_workspace: SkillWorkspace) -> None:
    measured(skill_workspace, setting="min: 0.5")
    status, gate = verdict(skill_workspace, "--locked")
    assert (status, gate["message"]) == (3, "`min` has to lie between -0.9 and -0.05")
