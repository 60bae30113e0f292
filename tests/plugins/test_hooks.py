"""Every hook, from an installed distribution to what a build makes of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from selftune_build.engine.registry import BUILTIN
from selftune_build.model.manifest import Policy
from selftune_build.plugins.installed import Installed
from selftune_build.plugins.kinds import HOOKS, Kind
from selftune_build.plugins.registry import Plugins
from selftune_build.testing import MutatorContract, SkillWorkspace
from tests.plugins.site_folder import SiteFolder

IMPORTED = "selftune_example is imported"


def evals(checks: str) -> str:
    return f'format: selftune.evals/1\ncases:\n  - {{id: a, prompt: "use pdf now", should_trigger: true, checks: [{checks}]}}\n'


PLAIN = evals("{contains: DONE}")


def manifest(**keys: Any) -> str:
    return json.dumps({"version": 1, **keys})


def build(workspace: SkillWorkspace, eval_file: str, **keys: Any) -> dict[str, Any]:
    workspace.skill("pdf", {"evals/evals.yaml": eval_file, "selftune.yaml": manifest(**keys)})
    return workspace.report("pdf")


def rows(workspace: SkillWorkspace, agent: str = "embedded") -> dict[str, Any]:
    cases: dict[str, Any] = workspace.lock("pdf")["agents"][agent]["cases"]
    return cases


def agent_hook(workspace: SkillWorkspace) -> None:
    report = build(workspace, evals("{contains: use pdf now}"), agent="echo")
    assert report["packages"][0]["origin"] == "recorded"
    assert rows(workspace, "echo")["a"]["with_skill"]["passed"] == 1


def gate_hook(workspace: SkillWorkspace) -> None:
    report = build(workspace, PLAIN, gates={"enough-cases": {"min": 2}})
    (gate,) = [gate for gate in report["packages"][0]["gates"] if gate["id"] == "enough-cases"]
    assert (gate["verdict"], gate["message"], report["exit_code"]) == ("fail", "1 cases, at least 2 are wanted", 1)


def check_hook(workspace: SkillWorkspace) -> None:
    build(workspace, evals("{ends-with/1: DONE.}") + '  - {id: b, prompt: "use pdf", checks: [{ends-with/1: nothing}]}\n')
    assert {case: arms["with_skill"]["passed"] for case, arms in rows(workspace).items()} == {"a": 1, "b": 0}


def reader_hook(workspace: SkillWorkspace) -> None:
    workspace.skill(
        "pdf", {"evals/cases.txt": "+use pdf\n-leave\n", "selftune.yaml": manifest(readers={"plus-minus": ["**/*.txt"]})}
    )
    report = workspace.report("pdf")
    assert report["packages"][0]["problems"] == []
    assert {case: arms["with_skill"]["triggered"] for case, arms in rows(workspace).items()} == {"l0": 1, "l1": 0}


def test_evals_are_imported_beside_those_that_a_plugin_reads(with_example: SkillWorkspace) -> None:
    with_example.skill("pdf", {"evals/cases.txt": "+use pdf\n", "selftune.yaml": manifest(readers={"plus-minus": ["**/*.txt"]})})
    (with_example.root / "new.json").write_text('[{"query": "merge them", "should_trigger": true}]')
    finished = with_example.run("eval", "import", "new.json", "-C", "pdf", "--json")
    assert (finished.status, len(finished.document["cases"])) == (0, 1)


def report_hook(workspace: SkillWorkspace) -> None:
    workspace.skill("pdf")
    assert workspace.run("build", "pdf", "--report", "verdict=out.txt", "--report", "json=out.json").status == 3
    assert (workspace.root / "out.txt").read_text() == "verdict inconclusive\n"
    assert json.loads((workspace.root / "out.json").read_text())["verdict"] == "inconclusive"


def mutator_hook(workspace: SkillWorkspace) -> None:
    build(workspace, PLAIN)
    finished = workspace.run("mutate", "pdf", "--mutator", "note", "--seed", "7", "--json")
    (candidate,) = finished.document["candidates"]
    assert (finished.status, candidate["surface"]) == (0, ["file:NOTES.md"])
    assert "+7\n" in candidate["patch"]


def executor_hook(workspace: SkillWorkspace) -> None:
    workspace.skill("pdf", {"evals/evals.yaml": PLAIN})
    finished = workspace.run("build", "pdf", "--executor", "here://", "--json")
    assert finished.document["spend"]["agent_calls"] == len(workspace.archives()) == 2
    assert "the example is closed" in finished.stderr


EXERCISED: dict[Kind, Callable[[SkillWorkspace], None]] = {
    Kind.AGENT: agent_hook,
    Kind.GATE: gate_hook,
    Kind.CHECK: check_hook,
    Kind.READER: reader_hook,
    Kind.REPORT: report_hook,
    Kind.MUTATOR: mutator_hook,
    Kind.EXECUTOR: executor_hook,
}


@pytest.mark.parametrize("kind", list(Kind), ids=str)
def test_what_an_installed_plugin_supplies_reaches_a_build(kind: Kind, with_example: SkillWorkspace) -> None:
    EXERCISED[kind](with_example)


def test_there_is_a_hook_for_every_kind_and_the_example_implements_each(with_example: SkillWorkspace) -> None:
    plugin = with_example.run("plugins", "info", "selftune-example", "--json").document["plugin"]
    assert {each["kind"] for each in plugin["supplies"]} == {kind.value for kind in Kind} == {kind.value for kind in HOOKS}


def example_mutator(example_site: SiteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(example_site.path))
    offer = Installed(tmp_path / "nowhere", lambda _: None).find(Kind.MUTATOR, "note")
    sys.modules.pop("selftune_example", None)
    assert offer is not None
    return offer.supplied


class TestExampleMutator(MutatorContract):
    @pytest.fixture(autouse=True)
    def _from_the_installed_plugin(self, example_site: SiteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        type(self).mutator = example_mutator(example_site, tmp_path, monkeypatch)


def test_the_identity_of_an_agent_holds_plugin_and_cache_version_although_the_agent_does_not_say_them(
    with_example: SkillWorkspace,
) -> None:
    build(with_example, PLAIN, agent="echo", model="some")
    identity = with_example.lock("pdf")["agents"]["echo"]["identity"]
    assert {name: identity[name] for name in ("plugin", "cache_version", "model")} == {
        "plugin": "echo",
        "cache_version": "7",
        "model": "some",
    }


def test_an_agent_is_named_on_the_command_line_and_as_a_type_too(with_example: SkillWorkspace) -> None:
    report = build(with_example, PLAIN, agent="house", agents={"house": {"type": "echo"}})
    assert report["packages"][0]["agent"] == "house"
    assert with_example.report("pdf", "--agent", "echo")["packages"][0]["agent"] == "echo"


def test_installing_a_plugin_changes_nothing_and_imports_nothing(with_example: SkillWorkspace) -> None:
    build(with_example, PLAIN, gates={"trigger-recall": {"min": 0.1}})
    lock = (with_example.root / "pdf/selftune.lock").read_bytes()
    finished = with_example.run("build", "pdf", "--json")
    assert IMPORTED not in finished.stderr
    without = with_example.run("build", "pdf", "--json", environment={"PYTHONPATH": ""})
    assert (finished.status, finished.stdout) == (without.status, without.stdout)
    assert (with_example.root / "pdf/selftune.lock").read_bytes() == lock


def test_a_plugin_is_imported_where_a_manifest_names_it(with_example: SkillWorkspace) -> None:
    with_example.skill("pdf", {"evals/evals.yaml": PLAIN, "selftune.yaml": manifest(gates={"enough-cases": {}})})
    assert IMPORTED in with_example.run("build", "pdf", "--json").stderr


def test_a_gate_that_no_plugin_supplies_is_a_problem_and_undecided(skill_workspace: SkillWorkspace) -> None:
    report = build(skill_workspace, PLAIN, gates={"enough-cases": {}, "trigger-recall": {"required": False}})
    (problem,) = [each for each in report["packages"][0]["problems"] if each["code"] == "plugin-missing"]
    assert (report["exit_code"], problem["target"]) == (3, "pdf")
    assert "enough-cases" in problem["message"]


def test_a_gate_that_is_missing_and_not_required_decides_nothing(skill_workspace: SkillWorkspace) -> None:
    report = build(skill_workspace, PLAIN, gates={"enough-cases": {"required": False}})
    assert [each for each in report["packages"][0]["problems"] if each["code"] == "plugin-missing"] == []


def test_a_plugin_that_the_policy_asks_for_has_to_be_there(with_example: SkillWorkspace) -> None:
    policy = {"plugins": ["selftune-example", "selftune-absent"]}
    report = build(with_example, PLAIN, policy=policy, gates={"trigger-recall": {"required": False}})
    (problem,) = report["packages"][0]["problems"]
    assert (problem["code"], problem["fix"]) == ("plugin-missing", "pip install selftune-absent")
    assert report["packages"][0]["verdict"] == "inconclusive"


def test_a_check_that_no_plugin_supplies_leaves_its_case_undecided_until_it_is_installed(
    skill_workspace: SkillWorkspace, example_site: SiteFolder
) -> None:
    build(skill_workspace, evals("{ends-with/1: DONE.}"))
    before = rows(skill_workspace)["a"]["with_skill"]
    assert "passed" not in before
    report = skill_workspace.report("pdf", environment=example_site.environment)
    after = rows(skill_workspace)["a"]["with_skill"]
    assert report["spend"]["agent_calls"] == 0
    assert (after["passed"], after["key"]) == (1, before["key"])


def test_a_file_for_a_reader_that_is_missing_is_undecided_with_the_place_of_the_setting(skill_workspace: SkillWorkspace) -> None:
    skill_workspace.skill("pdf", {"evals/c.txt": "+use pdf\n", "selftune.yaml": manifest(readers={"plus-minus": ["**/*.txt"]})})
    report = skill_workspace.report("pdf")
    (problem,) = report["packages"][0]["problems"]
    assert (report["exit_code"], problem["code"], problem["path"]) == (3, "plugin-missing", "pdf/selftune.yaml")


def test_an_agent_that_no_plugin_supplies_is_unavailable(skill_workspace: SkillWorkspace) -> None:
    skill_workspace.skill("pdf", {"evals/evals.yaml": PLAIN, "selftune.yaml": manifest(agent="echo")})
    finished = skill_workspace.run("build", "pdf", "--json")
    assert finished.status == 3
    assert json.loads(finished.stdout)["error"]["code"] == "agent-unavailable"


def test_a_report_format_that_nobody_supplies_is_refused_before_anything_is_built(skill_workspace: SkillWorkspace) -> None:
    skill_workspace.skill("pdf", {"evals/evals.yaml": PLAIN})
    assert skill_workspace.run("build", "pdf", "--report", "verdict=out.txt").status == 2
    assert not (skill_workspace.root / "pdf/selftune.lock").exists()


@pytest.fixture
def locked(example_site: SiteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugins:
    monkeypatch.syspath_prepend(str(example_site.path))
    sys.modules.pop("selftune_example", None)
    return Plugins(lambda: tmp_path / "workspace", lambda _: None, locked=True)


def test_under_locked_nothing_is_loaded_that_the_policy_does_not_name(locked: Plugins) -> None:
    for names in ((), ("selftune-other",)):
        registry = locked.registry.under(Policy(plugins=names))
        assert registry.gates.get("enough-cases") is None
        assert registry.readers.get("plus-minus") is None
    assert "selftune_example" not in sys.modules


def test_under_locked_a_named_plugin_brings_gates_and_readers_and_neither_agents_nor_checks(locked: Plugins) -> None:
    registry = locked.registry.under(Policy(plugins=("Selftune_Example",)))
    assert registry.gates.get("enough-cases") is not None
    assert registry.readers.get("plus-minus") is not None
    assert registry.agents is BUILTIN.agents
    assert registry.checks is BUILTIN.checks


def test_a_raised_cache_version_makes_every_row_of_the_agent_stale(plugged: SkillWorkspace, site: SiteFolder) -> None:
    source = """
        from selftune_example import Completing
        from selftune_build.plugins import AgentType, hookimpl
        @hookimpl
        def selftune_agents():
            return [AgentType("mine", "{version}", Completing)]
    """
    example = Path(__file__).parent / "examples/selftune-example/src/selftune_example/__init__.py"
    (site.path / "selftune_example.py").write_bytes(example.read_bytes())
    site.install("selftune-mine", source.format(version="1"))
    assert build(plugged, PLAIN, agent="mine")["spend"]["agent_calls"] == 2
    assert plugged.report("pdf")["spend"]["agent_calls"] == 0
    (site.path / "selftune_mine.py").write_text((site.path / "selftune_mine.py").read_text().replace('"1"', '"22"'))
    assert plugged.report("pdf")["spend"]["agent_calls"] == 2
