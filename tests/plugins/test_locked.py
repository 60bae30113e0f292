"""`--locked` with plugins installed: what is named by the policy, and of that only what reads."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from selftune_build.testing import Finished, SkillWorkspace
from tests.plugins.site_folder import SiteFolder

PLUGIN = """
import sys
from selftune_build.plugins import (
    AgentType, AgentFailure, Decision, EvalReading, EvidenceOrigin, Family, Format, Gate, Case, Mutator, Reply, ReportFormat,
    Traits, Verdict, decided, hookimpl,
)

def told(word):
    print("{name} " + word, file=sys.stderr)

told("imported")

class Agent:
    def __init__(self, settings):
        told("agent made")
        self.name, self.identity = settings.name, {{}}
        self.traits = Traits(EvidenceOrigin.LIVE, deterministic=True, free=True)
    def run(self, request, answer):
        answer.write(b"x")
    def complete(self, request, answer):
        raise NotImplementedError
    def parse(self, raw):
        return Reply("DONE", ("pdf",), (), ())
    def billed(self, raw):
        return None
    def unavailable(self):
        return None

def check(check, transcript, context):
    told("check judged")
    return decided(True, "so it is")

def gate(facts, setting, confidence):
    told("gate judged")
    return Decision(Verdict.PASS, f"{{len(facts.evals)}} cases")

def read(source):
    told("reader read")
    return EvalReading((Case("from-reader", "use pdf now", should_trigger=True, origin=source.origin("")),))

def supply(kind, *supplied):
    told(kind + " asked for")
    return supplied

@hookimpl
def selftune_agents():
    return supply("agents", AgentType("{name}-agent", "1", Agent))

@hookimpl
def selftune_gates():
    return supply("gates", Gate("{name}-gate", gate))

@hookimpl
def selftune_checks():
    return supply("checks", Family("{name}-check/1", check))

@hookimpl
def selftune_readers():
    return supply("readers", Format("{name}-reader", read))

@hookimpl
def selftune_mutators():
    return supply("mutators", Mutator("{name}-mutator", lambda *arguments: ()))

@hookimpl
def selftune_reports():
    return supply("reports", ReportFormat("{name}-report", lambda report: "text"))
"""
EVALS = """
format: selftune.evals/1
cases:
  - {id: a, prompt: use pdf now, should_trigger: true, checks: [{good-check/1: x}]}
"""


def manifest(plugins: list[str], *, gate: bool = True, reader: bool = True) -> str:
    gates = {"task-pass-rate": {"min": 0.01}, "trigger-recall": {"min": 0.01}, **({"good-gate": {}} if gate else {})}
    readers = {"readers": {"good-reader": ["evals/*.txt"]}} if reader else {}
    return json.dumps({"version": 1, "agent": "good-agent", "gates": gates, "policy": {"plugins": plugins}, **readers})


def rebuilt(workspace: SkillWorkspace, text: str) -> None:
    """Without what only the reader reads, and passing."""
    workspace.write({"pdf/selftune.yaml": text})
    (workspace.root / "pdf/evals/more.txt").unlink()
    assert verdicts(workspace.report("pdf")) == ("pass", 0, set())


@pytest.fixture
def built(plugged: SkillWorkspace, site: SiteFolder) -> SkillWorkspace:
    """A package whose agent, check, gate and reader come from one of two plugins, built."""
    for name in ("good", "other"):
        site.install(f"selftune-{name}", PLUGIN.format(name=name))
    files = {"evals/evals.yaml": EVALS, "evals/more.txt": "x", "selftune.yaml": manifest(["selftune-good"])}
    report = plugged.skill("pdf", files).report("pdf")
    assert report["verdict"] == "pass"
    return plugged


def said(finished: Finished, name: str) -> set[str]:
    """What the plugin told on stderr."""
    return {line.removeprefix(f"{name} ") for line in finished.stderr.splitlines() if line.startswith(f"{name} ")}


def verdicts(document: dict[str, Any]) -> tuple[str, int, set[str]]:
    (package,) = document["packages"]
    return document["verdict"], document["exit_code"], {problem["code"] for problem in package["problems"]}


def test_of_a_plugin_that_the_policy_names_only_gates_and_readers_are_asked(built: SkillWorkspace) -> None:
    finished = built.run("build", "pdf", "--locked", "--json")
    assert verdicts(finished.document) == ("pass", 0, set())
    assert said(finished, "good") == {"imported", "gates asked for", "readers asked for", "gate judged", "reader read"}
    assert said(finished, "other") == set()


def test_a_plugin_that_the_policy_does_not_name_is_not_even_imported_and_its_gate_is_missing(built: SkillWorkspace) -> None:
    rebuilt(built, manifest([], reader=False))
    finished = built.run("build", "pdf", "--locked", "--json")
    assert verdicts(finished.document) == ("inconclusive", 3, {"plugin-missing"})
    (gate,) = [gate for gate in finished.document["packages"][0]["gates"] if gate["id"] == "good-gate"]
    assert gate["verdict"] == "inconclusive"
    assert said(finished, "good") == said(finished, "other") == set()


def test_so_is_a_reader_whose_plugin_is_not_named(built: SkillWorkspace) -> None:
    built.write({"pdf/selftune.yaml": manifest([])})
    finished = built.run("build", "pdf", "--locked", "--json")
    assert finished.status == 3
    assert verdicts(finished.document)[2] == {"plugin-missing"}
    assert said(finished, "good") == set()


def test_a_plugin_that_the_policy_names_and_that_is_gone_is_missing_although_nothing_of_it_is_asked_for(
    built: SkillWorkspace, site: SiteFolder
) -> None:
    rebuilt(built, manifest(["selftune-good"], gate=False, reader=False))
    for folder in site.path.glob("selftune_good-*"):
        shutil.rmtree(folder)
    finished = built.run("build", "pdf", "--locked", "--json")
    (problem,) = finished.document["packages"][0]["problems"]
    assert (finished.status, problem["code"], problem["fix"]) == (3, "plugin-missing", "pip install selftune-good")


@pytest.mark.parametrize(
    ("now", "named"), [({"model": "small"}, "model"), ({"agents": {"house": {"type": "other-agent"}}}, "plugin"), ({}, None)]
)
def test_type_and_model_of_an_agent_are_compared_without_its_plugin(
    now: dict[str, Any], named: str | None, plugged: SkillWorkspace, site: SiteFolder
) -> None:
    for name in ("good", "other"):
        site.install(f"selftune-{name}", PLUGIN.format(name=name))
    gates = {gate: {"min": 0.01} for gate in ("trigger-recall", "task-pass-rate")}
    manifest = {"version": 1, "agent": "house", "model": "large", "agents": {"house": {"type": "good-agent"}}, "gates": gates}
    plugged.skill("pdf", {"evals/evals.yaml": EVALS, "selftune.yaml": json.dumps(manifest)})
    assert plugged.report("pdf")["verdict"] == "pass"
    plugged.write({"pdf/selftune.yaml": json.dumps({**manifest, **now})})
    finished = plugged.run("build", "pdf", "--locked", "--json")
    changed = [each["message"] for each in finished.document["packages"][0]["problems"] if each["code"] == "agent-changed"]
    assert [message.split()[0] for message in changed] == ([f"'{named}'"] if named else [])
    assert finished.status == (1 if named else 0)
    assert said(finished, "good") == said(finished, "other") == set()


def test_formats_of_reports_are_those_of_the_tool_alone(built: SkillWorkspace) -> None:
    finished = built.run("build", "pdf", "--locked", "--report", "good-report=out.txt")
    assert finished.status == 2
    assert "under --locked there are no formats of plugins" in finished.stderr
    assert said(finished, "good") == set()
    assert built.run("build", "pdf", "--locked", "--report", "json=out.json").status == 0
    assert json.loads((built.root / "out.json").read_text())["verdict"] == "pass"
