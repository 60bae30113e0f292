"""Plugins that break, each in its own way: named, contained, and never a verdict."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from selftune_build.plugins.audit import protect
from selftune_build.plugins.contain import Manner, PluginFailure, Supplier, contained
from selftune_build.testing import Finished, SkillWorkspace
from tests.plugins.site_folder import SiteFolder

PLAIN = 'format: selftune.evals/1\ncases:\n  - {id: a, prompt: "use pdf now", should_trigger: true, checks: [{contains: DONE}]}\n'

MISCHIEF = """
import os, pathlib, subprocess, socket, sys, threading
from selftune_build.plugins import Case, CaseFile, Check, EvalReading
from selftune_build.plugins import hookimpl, Gate, Decision, Verdict, Family, held, Format, ReportFormat, EvalReading, Case

def raises(error):
    def judge(*arguments):
        raise error
    return judge

def writes(*arguments):
    try:
        pathlib.Path("pdf/written.txt").write_text("here")
    except OSError:
        pass
    return Decision(Verdict.PASS, "nothing happened")

def starts(*arguments):
    subprocess.run(["true"])
    return Decision(Verdict.PASS, "nothing happened")

def connects(*arguments):
    socket.create_connection(("127.0.0.1", 9))
    return Decision(Verdict.PASS, "nothing happened")

class Silent(Exception):
    def __str__(self):
        raise SystemExit(0)

MISCHIEFS = {
    "raises": raises(ValueError("the moon is full")),
    "exits": raises(SystemExit(0)),
    "interrupts": raises(KeyboardInterrupt()),
    "cannot-say": raises(Silent()),
    "generator-exit": raises(GeneratorExit()),
    "recurses": lambda *arguments: MISCHIEFS["recurses"](*arguments),
    "returns-text": lambda *arguments: "pass",
    "returns-true": lambda *arguments: True,
    "wrong-verdict": lambda *arguments: Decision("splendid", "?"),
    "wrong-arguments": lambda: None,
    "writes": writes,
    "starts": starts,
    "connects": connects,
}

@hookimpl
def selftune_gates():
    return [Gate(name, judge) for name, judge in MISCHIEFS.items()] + [Gate("well", lambda *a: Decision(Verdict.PASS, "well"))]

@hookimpl
def selftune_checks():
    return [Family(name + "/1", judge) for name, judge in MISCHIEFS.items()] + [Family("odd/1", lambda *a: held(3))]

@hookimpl
def selftune_readers():
    bad = {
        "no-cases": lambda source: [],
        "not-a-case": lambda source: EvalReading(("case",)),
        "typeless": lambda source: EvalReading((Case(id=3),)),
        "bad-id": lambda source: EvalReading((Case(id="a\\nb"),)),
        "climbs": lambda source: EvalReading((Case(id="a", files=(CaseFile("../../x", b""),)),)),
        "floats": lambda source: EvalReading((Case(id="a", checks=(Check("contains", {"text": 0.5}),)),)),
    }
    return [Format(name, read) for name, read in {**MISCHIEFS, **bad}.items()]

@hookimpl
def selftune_reports():
    return [ReportFormat(name, render) for name, render in MISCHIEFS.items() if name != "returns-text"]
"""
NAMES = [
    "raises",
    "exits",
    "interrupts",
    "cannot-say",
    "generator-exit",
    "recurses",
    "returns-true",
    "wrong-arguments",
    "starts",
    "connects",
]
PLUGIN = "selftune-mischief 6.6"


def manifest(**keys: Any) -> str:
    return json.dumps({"version": 1, **keys})


@pytest.fixture
def mischief(plugged: SkillWorkspace, site: SiteFolder) -> SkillWorkspace:
    site.install("selftune-mischief", MISCHIEF, "6.6")
    return plugged


def build(workspace: SkillWorkspace, *arguments: str, evals: str = PLAIN, **keys: Any) -> tuple[Finished, dict[str, Any]]:
    workspace.skill("pdf", {"evals/evals.yaml": evals, "selftune.yaml": manifest(**keys)})
    finished = workspace.run("build", "pdf", "--json", *arguments)
    assert "Traceback" not in finished.stderr
    return finished, finished.document


@pytest.mark.parametrize("name", [*NAMES, "returns-text", "wrong-verdict", "writes"])
def test_a_gate_that_breaks_is_inconclusive_names_its_plugin_and_passes_nothing(name: str, mischief: SkillWorkspace) -> None:
    finished, report = build(mischief, gates={name: {}, "trigger-recall": {"required": False}})
    (gate,) = [gate for gate in report["packages"][0]["gates"] if gate["id"] == name]
    assert (gate["verdict"], report["exit_code"], finished.status) == ("inconclusive", 3, 3)
    assert gate["message"].startswith(f"plugin-failed: the plugin {PLUGIN} failed in the gate `{name}`: ")
    (problem,) = [each for each in report["packages"][0]["problems"] if each["code"] == "plugin-failed"]
    assert PLUGIN in problem["message"]
    assert not (mischief.root / "pdf/written.txt").exists()


def test_all_checks_that_break_are_not_measured_and_leave_their_case_undecided(mischief: SkillWorkspace) -> None:
    names = [*NAMES, "returns-text", "writes", "odd"]
    cases = "\n".join(f'  - {{id: {name}, prompt: "pdf {name}", checks: [{{{name}/1: x}}]}}' for name in names)
    _, report = build(mischief, evals=f"format: selftune.evals/1\ncases:\n{cases}\n")
    rows = mischief.lock("pdf")["agents"]["embedded"]["cases"]
    assert {name for name in names if "passed" in rows[name]["with_skill"]} == set()
    evidence = {each["check"].partition("/")[0]: each["evidence"] for each in report["packages"][0]["failures"]}
    assert {
        name: text.startswith(f"plugin-failed: the plugin {PLUGIN} failed in the check") for name, text in evidence.items()
    } == (dict.fromkeys(names, True))
    assert report["exit_code"] == 3


@pytest.mark.parametrize("name", [*NAMES, "no-cases", "not-a-case", "typeless", "bad-id", "climbs", "floats"])
def test_a_reader_that_breaks_leaves_its_package_undecided_and_the_others_alone(name: str, mischief: SkillWorkspace) -> None:
    mischief.write({"selftune.yaml": manifest(workspace={"members": ["*"]}), "b/evals/evals.yaml": PLAIN})
    mischief.skill("b").skill("a", {"evals/cases.txt": "x", "selftune.yaml": manifest(readers={name: ["evals/*.txt"]})})
    report = mischief.report("evals")
    problems = {package["name"]: [each["code"] for each in package["problems"]] for package in report["packages"]}
    assert problems == {"a": ["plugin-failed"], "b": []}
    assert report["exit_code"] == 3


@pytest.mark.parametrize("name", [*NAMES, "writes"])
def test_a_report_that_breaks_writes_no_file_and_takes_nothing_from_the_build(name: str, mischief: SkillWorkspace) -> None:
    finished, report = build(mischief, "--report", f"{name}=out.txt", gates={"trigger-recall": {"min": 0.01}})
    assert (report["exit_code"], finished.status) == (report["exit_code"], 3)
    assert f"the plugin {PLUGIN} failed in the report `{name}`" in finished.stderr
    assert not (mischief.root / "out.txt").exists()


def test_the_traceback_is_shown_only_to_whoever_asks_for_it(mischief: SkillWorkspace) -> None:
    build(mischief, gates={"raises": {}})
    shown = mischief.run("build", "pdf", environment={"SELFTUNE_DEBUG": "1"}).stderr
    assert "Traceback" in shown
    assert "ValueError: the moon is full" in shown


def test_a_gate_that_works_beside_those_that_break_is_not_disturbed(mischief: SkillWorkspace) -> None:
    _, report = build(mischief, gates={"raises": {"required": False}, "well": {}, "trigger-recall": {"required": False}})
    verdicts = {gate["id"]: gate["verdict"] for gate in report["packages"][0]["gates"]}
    assert (verdicts["raises"], verdicts["well"]) == ("inconclusive", "pass")


GATES = "from selftune_build.plugins import hookimpl, Gate, AgentType\n@hookimpl\ndef selftune_gates():\n    "
AGENTS_OF = GATES.replace("selftune_gates", "selftune_agents")
BROKEN_WHOLE = {
    "syntax": ("def", "SyntaxError"),
    "import-error": ("import no_such_module_anywhere", "ModuleNotFoundError"),
    "exit-on-import": ("raise SystemExit(0)", "SystemExit"),
    "interrupt-on-import": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "no-hook": ("x = 1", "implements no hook"),
    "other-api": ("selftune_api = 2", "version 2 of the plugin API, this is version 1"),
    "unknown-hook": (
        "from selftune_build.plugins import hookimpl\n@hookimpl\ndef selftune_wishes():\n    return []",
        "selftune_wishes",
    ),
    "wrong-arguments": (
        "from selftune_build.plugins import hookimpl\n@hookimpl\ndef selftune_gates(everything):\n    return []",
        "everything",
    ),
    "wraps": (
        "from selftune_build.plugins import hookimpl\n@hookimpl(wrapper=True)\ndef selftune_gates():\n    return (yield)",
        "it wraps selftune_gates",
    ),
    "returns-none": (
        GATES + "return None",
        "it returned NoneType, not a list",
    ),
    "returns-other": (
        GATES + "return ['gate']",
        "where a Gate was expected",
    ),
    "endless": (
        GATES + "import itertools; return itertools.count()",
        "it returned more than 200",
    ),
    "bad-id": (
        GATES + "return [Gate('A b', len)]",
        "is no id for a gate",
    ),
    "no-cache-version": (
        AGENTS_OF + "return [AgentType('a', '', len)]",
        "declares no cache_version",
    ),
    "writes-on-import": ("open('pdf/written.txt', 'w')", "it may not write"),
}


@pytest.mark.parametrize("name", list(BROKEN_WHOLE))
def test_a_plugin_that_does_not_load_is_named_and_the_one_beside_it_works(
    name: str, plugged: SkillWorkspace, site: SiteFolder
) -> None:
    source, reason = BROKEN_WHOLE[name]
    (site.path / "selftune_broken.py").write_text(source + "\n")
    site.metadata("selftune-broken", "selftune_broken", "0.1")
    site.install("selftune-mischief", MISCHIEF, "6.6")
    plugged.skill("pdf")
    finished = plugged.run("plugins", "info", "selftune-broken", "-C", "pdf", "--json")
    (fault,) = finished.document["plugin"]["faults"]
    assert (finished.status, finished.document["exit_code"], finished.document["ok"]) == (3, 3, False)
    assert fault.startswith("the plugin selftune-broken 0.1 failed in ")
    assert reason in fault
    assert "Traceback" not in finished.stderr
    _, report = build(plugged, gates={"well": {}, "trigger-recall": {"required": False}})
    assert [gate["verdict"] for gate in report["packages"][0]["gates"] if gate["id"] == "well"] == ["pass"]
    assert not (plugged.root / "pdf/written.txt").exists()


def test_a_plugin_that_failed_is_named_where_it_might_have_been_the_one(plugged: SkillWorkspace, site: SiteFolder) -> None:
    site.install("selftune-broken", "raise ValueError('not today')")
    finished, report = build(plugged, gates={"wanted": {}})
    assert report["exit_code"] == 3
    assert finished.stderr.count("the plugin selftune-broken 1.0 failed in the import") == 1


def test_an_id_that_two_plugins_supply_is_bad_input_that_names_both(plugged: SkillWorkspace, site: SiteFolder) -> None:
    site.install("selftune-mischief", MISCHIEF, "6.6")
    site.install("selftune-twin", MISCHIEF, "6.7")
    plugged.skill("pdf", {"evals/evals.yaml": PLAIN, "selftune.yaml": manifest(gates={"well": {}})})
    finished = plugged.run("build", "pdf", "--json")
    error = json.loads(finished.stdout)["error"]
    assert (finished.status, error["code"]) == (2, "plugin-duplicate")
    assert "selftune-mischief 6.6 and selftune-twin 6.7" in error["message"]


def test_ids_that_are_supplied_twice_and_not_named_stop_nothing(plugged: SkillWorkspace, site: SiteFolder) -> None:
    site.install("selftune-mischief", MISCHIEF, "6.6")
    site.install("selftune-twin", MISCHIEF, "6.7")
    finished = plugged.run("plugins", "list", "--json")
    assert finished.status == 0
    assert "the gate 'well' is supplied twice, by selftune-mischief 6.6 and selftune-twin 6.7" in finished.document["notes"]
    assert build(plugged)[1]["exit_code"] in (0, 3)


def test_a_plugin_never_replaces_what_is_built_in(plugged: SkillWorkspace, site: SiteFolder) -> None:
    source = """
        from selftune_build.plugins import hookimpl, Gate, Decision, Verdict
        @hookimpl
        def selftune_gates():
            mine = lambda *a: Decision(Verdict.PASS, "mine")
            return [Gate("lift", mine), Gate("security", mine)]
    """
    site.install("selftune-usurper", source)
    _, report = build(plugged, gates={"lift": {}})
    assert "mine" not in [gate["message"] for gate in report["packages"][0]["gates"]]
    notes = plugged.run("plugins", "list", "--json").document["notes"]
    assert [note for note in notes if "the id is built in" in note] == notes
    assert len(notes) == 2


AGENTS = """
import json, os, pathlib
from selftune_build.plugins import hookimpl, AgentType, Traits, EvidenceOrigin, Reply, AgentFailure, ErrorKind, InputError

class Agent:
    def __init__(self, settings):
        self.name, self.identity = settings.name, {}
        self.traits = Traits(EvidenceOrigin.LIVE, deterministic=True, free=True)
    def run(self, request, answer):
        answer.write(b"{}")
    def complete(self, request, answer):
        raise AgentFailure(ErrorKind.UNAVAILABLE, "no")
    def parse(self, raw):
        return Reply("DONE", ("pdf",), (), ())
    def billed(self, raw):
        return None
    def unavailable(self):
        return None

def change(**members):
    def make(settings):
        agent = Agent(settings)
        for name, value in members.items():
            setattr(agent, name, value)
        return agent
    return make

def throw(error):
    def method(*arguments):
        raise error
    return method

def write(request, answer):
    pathlib.Path(os.environ["VICTIM"], "pdf", "SKILL.md").write_text("mine now")

TYPES = {
    "run-raises": change(run=throw(ValueError("?"))),
    "run-exits": change(run=throw(SystemExit(0))),
    "run-interrupts": change(run=throw(KeyboardInterrupt())),
    "parse-raises": change(parse=throw(ValueError("?"))),
    "parse-wrong": change(parse=lambda raw: {"output": "DONE"}),
    "parse-typeless": change(parse=lambda raw: Reply(3, (4,))),
    "unavailable-raises": change(unavailable=throw(ValueError("?"))),
    "writes": change(run=write),
}
MAKES = {
    "make-raises": throw(ValueError("?")),
    "make-exits": throw(SystemExit(0)),
    "make-nothing": lambda settings: None,
    "identity-other": change(identity={"plugin": "embedded"}),
    "identity-float": change(identity={"temperature": 0.5}),
    "identity-text": change(identity="me"),
    "traits-other": change(traits={"origin": "live"}),
    "make-refuses": throw(InputError("this agent needs `model:`", hint="add it")),
    "needs-program": change(unavailable=lambda: "the program `demo` is not on PATH"),
}

@hookimpl
def selftune_agents():
    return [AgentType(name, "1", make, install="npm install demo") for name, make in {**TYPES, **MAKES}.items()]
"""
IN_RUN = ["run-raises", "run-exits", "run-interrupts", "parse-raises", "parse-wrong", "parse-typeless", "unavailable-raises"]
IN_MAKE = ["make-raises", "make-exits", "make-nothing", "identity-other", "identity-float", "identity-text", "traits-other"]


@pytest.fixture
def agents(plugged: SkillWorkspace, site: SiteFolder) -> SkillWorkspace:
    site.install("selftune-agents", AGENTS, "2.0")
    plugged.environment["VICTIM"] = str(plugged.root)
    return plugged


@pytest.mark.parametrize("name", [*IN_RUN, "writes"])
def test_an_agent_that_breaks_brings_no_evidence_and_no_verdict(name: str, agents: SkillWorkspace) -> None:
    finished, report = build(agents, agent=name)
    (package,) = report["packages"]
    assert (package["verdict"], finished.status) == ("inconclusive", 3)
    assert {each["code"] for each in package["problems"]} == {"no-evidence"}
    assert all("the plugin selftune-agents 2.0 failed in the agent" in each["message"] for each in package["problems"])
    assert agents.lock("pdf")["agents"][name]["cases"] == {}
    assert "mine now" not in (agents.root / "pdf/SKILL.md").read_text()


@pytest.mark.parametrize("name", IN_MAKE)
def test_an_agent_that_cannot_be_made_is_an_error_of_its_plugin(name: str, agents: SkillWorkspace) -> None:
    finished, document = build(agents, agent=name)
    assert (finished.status, document["error"]["code"]) == (3, "plugin-failed")
    assert "the plugin selftune-agents 2.0 failed in the agent" in document["error"]["message"]


def test_settings_that_an_agent_refuses_are_bad_input(agents: SkillWorkspace) -> None:
    finished, document = build(agents, agent="make-refuses")
    assert (finished.status, document["error"]["message"]) == (2, "this agent needs `model:`")


def test_a_program_that_is_missing_comes_with_the_command_that_installs_it(agents: SkillWorkspace) -> None:
    finished, report = build(agents, agent="needs-program")
    assert finished.status == 3
    messages = {each["message"] for each in report["packages"][0]["problems"]}
    assert messages == {"needs-program: the program `demo` is not on PATH; install it with `npm install demo`"}


SLOW = Supplier("slow", "1")


def test_a_call_that_does_not_return_is_left_behind_and_its_plugin_not_called_again() -> None:
    release = threading.Event()
    supplier = Supplier("hangs", "1")
    with pytest.raises(PluginFailure, match=r"did not return within 0\.1 s") as caught:
        contained(supplier, "the gate `g`", lambda: release.wait(60), Manner(0.1))
    assert caught.value.hung
    with pytest.raises(PluginFailure, match="it is not called again"):
        contained(supplier, "the gate `h`", lambda: 1)
    assert contained(SLOW, "the gate `g`", lambda: 1) == 1
    release.set()


def test_a_call_that_ignores_a_cancellation_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selftune_build.plugins.contain.PLUGIN_CANCEL_SECONDS", 0.1)
    cancel, release = threading.Event(), threading.Event()
    threading.Timer(0.1, cancel.set).start()
    with pytest.raises(PluginFailure, match="did not return"):
        contained(Supplier("ignores", "1"), "the agent `a`", lambda: release.wait(60), Manner(60, cancel=cancel))
    release.set()


@pytest.mark.slow
def test_a_gate_that_hangs_costs_its_limit_once(plugged: SkillWorkspace, site: SiteFolder) -> None:
    source = """
        import time
        from selftune_build.plugins import hookimpl, Gate
        @hookimpl
        def selftune_gates():
            return [Gate("hangs", lambda *a: time.sleep(3600)), Gate("hangs-too", lambda *a: time.sleep(3600))]
    """
    site.install("selftune-hangs", source)
    _, report = build(plugged, gates={"hangs": {}, "hangs-too": {}})
    messages = [gate["message"] for gate in report["packages"][0]["gates"] if gate["id"].startswith("hangs")]
    assert [message.startswith("plugin-failed: the plugin selftune-hangs 1.0") for message in messages] == [True, True]
    assert report["exit_code"] == 3


def test_writing_below_the_workspace_is_refused_although_it_lies_in_the_temporary_folder(tmp_path: Path) -> None:
    protect(tmp_path)
    with pytest.raises(PluginFailure, match="it may not write"):
        contained(SLOW, "the agent `a`", lambda: (tmp_path / "x").write_text("y"), Manner(reads_only=False))
    assert list(tmp_path.iterdir()) == []


def test_other_threads_and_our_own_code_write_while_a_plugin_runs(tmp_path: Path) -> None:
    protect(tmp_path)
    done = threading.Event()
    thread = threading.Thread(target=lambda: contained(SLOW, "the gate `g`", lambda: done.wait(30)))
    thread.start()
    time.sleep(0.05)
    (tmp_path / "ours").write_text("written")
    done.set()
    thread.join()
    assert (tmp_path / "ours").read_text() == "written"
