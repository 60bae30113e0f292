"""A check that is added or changed judges the samples that are there: of every kind, with the real command.

The agent and the script keep ledgers of their own, so that "was not asked" is what they say.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from selftune_build.checks.registry import FAMILIES
from tests.property.workspace import Workspace

AGENT = """\
import json, os, pathlib, sys
request = json.load(sys.stdin)
with open(os.environ["TEST_LEDGER"], "a") as ledger:
    ledger.write(json.dumps({"prompt": request["prompt"]}) + "\\n")
pathlib.Path(request["workspace"], "out.json").write_text('{"total": 42}')
print(json.dumps({
    "output": '{"total": 42, "note": "Total: 42"}', "skills_used": ["sums"], "files_read": [],
    "tool_calls": [{"name": "Read", "input": {"path": "a.csv"}}, {"name": "Bash", "input": {"command": "ls"}}],
    "usage": {"input_tokens": 90, "output_tokens": 10, "cost_usd": 0.02, "turns": 2}, "model": "m", "error": None,
}))
"""
SCRIPT = """\
import sys
with open(sys.argv[1], "a") as ledger:
    ledger.write('{"prompt": "script"}\\n')
print("warned", file=sys.stderr)
"""
GRADE = 'import json, sys; print(json.dumps({"score": 0.75 if "42" in sys.stdin.read() else 0}))'

KINDS: dict[str, tuple[Any, Any]] = {
    "contains": ("Total: 42", "Total: 41"),
    "not-contains": ("error", "Total"),
    "regex": ("Total: \\d+", "^Total$"),
    "not-regex": ("error", "Tot.l"),
    "file-exists": ("out.json", "none.json"),
    "file-absent": ("none.json", "*.json"),
    "file-contains": ({"path": "out.json", "text": "42"}, {"path": "out.json", "text": "41"}),
    "file-not-contains": ({"path": "out.json", "text": "41"}, {"path": "out.json", "text": "42"}),
    "file-regex": ({"path": "out.json", "pattern": "4\\d"}, {"path": "out.json", "pattern": "5\\d"}),
    "file-equals": ({"path": "out.json", "text": '{"total": 42}'}, {"path": "out.json", "expected": "evals/graders/grade.py"}),
    "json-path": ({"path": "$.total", "equals": 42}, {"path": "/total", "equals": 0.5, "file": "out.json"}),
    "json-schema": ({"schema": {"required": ["note"]}}, {"schema": {"properties": {"total": {"maximum": 0.5}}}}),
    "command": ({"run": [sys.executable, "-c", ""]}, {"run": [sys.executable, "-c", "raise SystemExit(1)"]}),
    "score": (
        {"run": ["python3", "evals/graders/grade.py"], "min": 0.75},
        {"run": ["python3", "evals/graders/grade.py"], "min": "0.8"},
    ),
    "skill-invoked": (True, "other"),
    "skill-not-invoked": ("other", True),
    "tool-called": ({"name": "Bash", "arguments": {"/command": "^ls$"}}, {"name": "Bash", "arguments": {"/command": "^rm"}}),
    "tool-not-called": ("Edit", "Bash"),
    "tool-count": ({"name": "Bash", "max": 1}, {"name": "Bash", "min": 2}),
    "tool-order": (["Read", "Bash"], ["Bash", "Read"]),
    "tool-sequence": (["Read", "Bash"], ["Read"]),
    "max-turns": (2, 1),
    "max-tokens": (100, 99),
    "max-seconds": (120, 0),
    "max-cost": (0.02, "0.01"),
}
SCRIPT_KINDS: dict[str, tuple[Any, Any]] = {"exit": (0, 1), "stderr-contains": ("warned", "failed")}


def write_cases(workspace: Workspace, which: int | None) -> None:
    """A case for each kind, without a check of this kind, or with the one that holds (0) or does not (1)."""

    def case(kind: str, values: tuple[Any, Any], **asked: Any) -> dict[str, Any]:
        added = [] if which is None else [{kind: values[which], "id": "added", "weight": 2}]
        return {"id": kind, **asked, "checks": [{"not-contains": "never said"}, *added]}

    agents = [case(kind, values, prompt=f"Sum up, {kind}") for kind, values in KINDS.items()]
    run = ["python3", "scripts/warn.py", str(workspace.ledger)]
    scripts = [case(kind, values, run=run, stdin=kind) for kind, values in SCRIPT_KINDS.items()]
    workspace.evals("sums", agents)
    workspace.write("sums/tests/unit.yaml", json.dumps({"format": "selftune.unit-tests/1", "cases": scripts}))


@pytest.fixture
def sums(tmp_path: Path) -> Workspace:
    """A package that was built before any of its cases had the check in question."""
    workspace = Workspace(tmp_path / "workspace", tmp_path / "ledger")
    workspace.root.mkdir()
    house = {
        "type": "command",
        "argv": ["python3", "tools/agent.py"],
        "deterministic": True,
        "free": True,
        "env": ["TEST_LEDGER"],
    }
    rates = {"task-pass-rate": {"min": 0.0}, "unit-tests": {"required": False}}
    manifest = {"version": 1, "agent": "house", "agents": {"house": house}, "gates": rates, "workspace": {"members": ["sums"]}}
    defaults = {key: manifest.pop(key) for key in ("agent", "agents", "gates")}
    workspace.write("selftune.yaml", json.dumps({**manifest, "defaults": defaults}))
    workspace.write("tools/agent.py", AGENT)
    workspace.skill("sums", "Adds up columns of tables.", "Add them up.")
    workspace.write("sums/scripts/warn.py", SCRIPT)
    workspace.write("sums/evals/graders/grade.py", GRADE)
    write_cases(workspace, None)
    built = workspace.build()
    assert len(built.calls) == 2 * len(KINDS) + len(SCRIPT_KINDS)
    return workspace


def passed(workspace: Workspace) -> dict[str, int | None]:
    """In how many samples each case passed, in its arm with the skill or of the script."""
    return {case: (arms.get("with_skill") or arms["script"]).get("passed") for case, arms in workspace.rows("sums").items()}


def test_the_tests_below_know_every_kind_that_can_be_measured_without_a_judge() -> None:
    measurable = {kind for kind, family in FAMILIES.items() if family.measurable and not family.needs_judge}
    assert set(KINDS) | set(SCRIPT_KINDS) == measurable


def test_an_added_check_of_any_kind_judges_again_and_runs_nothing_again(sums: Workspace) -> None:
    write_cases(sums, 0)
    added = sums.build()
    assert added.calls == []
    assert passed(sums) == dict.fromkeys([*KINDS, *SCRIPT_KINDS], 1)
    before = sums.rows("sums")
    sums.write("sums/evals/evals.yaml", sums.read("sums/evals/evals.yaml").replace('"id": "added"', '"id": "renamed"'))
    assert sums.build().calls == []
    assert sums.rows("sums") == before  # an id is in no key
    write_cases(sums, 1)
    changed = sums.build()
    assert changed.calls == []
    assert passed(sums) == dict.fromkeys([*KINDS, *SCRIPT_KINDS], 0)
    failed = {failure["target"]: failure for failure in changed.report["packages"][0]["failures"]}
    assert len(failed) == len(KINDS) + len(SCRIPT_KINDS)
    assert all(failure["check"].startswith("added: ") and failure["evidence"] for failure in failed.values())
    write_cases(sums, None)
    assert sums.build().calls == []
    assert passed(sums) == dict.fromkeys([*KINDS, *SCRIPT_KINDS], 1)


def test_show_tells_of_each_check_what_it_is_called_what_it_weighs_and_what_decided_it(sums: Workspace) -> None:
    write_cases(sums, 1)
    sums.build()
    for kind in KINDS:
        status, stdout, _ = sums.selftune("show", f"sums:replay[{kind}]", "--json", "-C", str(sums.root))
        assert status == 0
        (sample,) = json.loads(stdout)["cases"][0]["samples"]
        first, added = sample["checks"]
        assert first["id"].startswith("not-contains-")
        assert (added["id"], added["weight"], added["held"]) == ("added", 2, False)
        assert all(check["evidence"] for check in (first, added))
        assert sample["score"] == {"held": 1, "unknown": 0, "total": 3}
    _, text, _ = sums.selftune("show", "sums:replay[contains]", "-C", str(sums.root))
    assert 'failed: added: contains "Total: 41" (weight 2)' in text
    assert "score by weight: 1 of 3" in text


def test_a_check_that_holds_without_the_skill_is_reported_as_not_discriminating(sums: Workspace) -> None:
    def reported(*arguments: str) -> set[str]:
        findings = sums.build(*arguments).report["packages"][0]["findings"]
        return {finding["message"] for finding in findings if finding["code"] == "check-not-discriminating"}

    cases = [
        {"id": "easy", "prompt": "Sum up, easily", "checks": [{"contains": "Total: 42"}]},
        {"id": "mixed", "prompt": "Sum up, mixed", "checks": [{"contains": "Total: 42"}, {"contains": "never said"}]},
        {"id": "none", "prompt": "Sing", "should_trigger": False, "checks": [{"contains": "Total: 42"}]},
        {"id": "kept", "prompt": "Sum up, with", "checks": [{"contains": "Total: 42", "arm": "with_skill"}]},
    ]
    sums.evals("sums", cases)
    tail = "holds in the only sample without the skill, so it does not tell whether the skill helps"
    easy, mixed = (f'sums:baseline[{case}]: contains "Total: 42" {tail}' for case in ("easy", "mixed"))
    assert reported() == {easy, mixed}
    assert reported() == {easy, mixed}  # nothing was judged anew, and the same is to be said
    assert reported("--dry-run") == {easy, mixed}
    sums.edit("sums/SKILL.md", "description: ", "description: By hand. ")
    assert reported() == {easy, mixed}
    assert reported("--locked") == {easy}  # the lock tells of a case, not of each of its checks
    assert list(sums.rows("sums")["kept"]) == ["with_skill"]
    _, text, _ = sums.selftune("build", "--locked", "-C", str(sums.root))
    assert "[check-not-discriminating]" in text


def test_a_link_that_the_agent_leaves_leads_no_check_out_of_its_workspace(sums: Workspace, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"total": 42}')
    link = f"os.symlink({str(tmp_path / 'secret.json')!r}, pathlib.Path(request['workspace'], 'link.json'))\nprint("
    sums.edit("tools/agent.py", "print(", link)
    at = {"path": "link.json"}
    checks = [
        {"json-path": {"path": "$.total", "file": "link.json"}},
        {"file-exists": "link.json"},
        {"json-schema": {"schema": True, "file": "link.json"}},
    ]
    sums.evals(
        "sums", [{"id": "linked", "prompt": "Sum up", "checks": [*checks, {"file-equals": {**at, "text": '{"total": 42}'}}]}]
    )
    failures = sums.build().report["packages"][0]["failures"]
    assert [failure["target"] for failure in failures] == ["sums:replay[linked]"] * 4
    assert "42" not in "".join(failure["evidence"] for failure in failures)
