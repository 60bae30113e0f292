"""Every kind of plugin, broken in every way: what the rest of the program sees of it is a named failure, never a result."""

from __future__ import annotations

import io
import itertools
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from selftune_build.agents.protocol import AgentFailure, AgentSettings, AgentType, CompleteRequest, Traits
from selftune_build.checks.context import CheckContext
from selftune_build.checks.registry import Family
from selftune_build.engine.executing.protocol import ExecutorType
from selftune_build.errors import InputError
from selftune_build.gates.builtin import Gate
from selftune_build.model.case import Arm, Check
from selftune_build.model.manifest import GateSetting
from selftune_build.model.report import Report, Spend
from selftune_build.model.sample import EvidenceOrigin, Reply, Transcript
from selftune_build.model.verdict import Verdict
from selftune_build.mutators.protocol import Mutator
from selftune_build.plugins import contain
from selftune_build.plugins.audit import protect
from selftune_build.plugins.contain import PluginFailure, Supplier
from selftune_build.plugins.guarded import guarded
from selftune_build.plugins.installed import Installed
from selftune_build.plugins.kinds import Kind
from selftune_build.reading.evals.recognise import Format
from selftune_build.report.format import ReportFormat
from selftune_build.testing import MutatorContract, ReaderContract, SkillWorkspace, facts
from tests.plugins.site_folder import SiteFolder

Mischief = Callable[..., Any]


def said_by_a_gate(mischief: Mischief, supplier: Supplier) -> str:
    decision = guarded(Kind.GATE, Gate("g", mischief), supplier).judge(facts(a=1), GateSetting(), 0.95)
    assert decision.verdict is Verdict.INCONCLUSIVE
    return str(decision.message)


def said_by_a_check(mischief: Mischief, supplier: Supplier) -> str:
    family = guarded(Kind.CHECK, Family("c/1", mischief), supplier)
    result = family.judge(Check("c/1", {}), Transcript(Reply("answer")), CheckContext("pdf", Arm.WITH_SKILL))
    assert result.held is None
    return str(result.evidence)


def said_by_a_reader(mischief: Mischief, supplier: Supplier) -> str:
    class Suite(ReaderContract):
        reader, path, files = Format("r", mischief), "evals/x.txt", {"evals/x.txt": b"x"}

        def broken(self) -> str:
            with pytest.raises(PluginFailure) as caught:
                guarded(Kind.READER, self.reader, supplier).read(None)
            return caught.value.message

    return Suite().broken()


def said_by_a_report(mischief: Mischief, supplier: Supplier) -> str:
    with pytest.raises(PluginFailure) as caught:
        guarded(Kind.REPORT, ReportFormat("r", mischief), supplier).render(Report(Verdict.PASS, 0, Spend(), (), "build"))
    return caught.value.message


def said_by_a_mutator(mischief: Mischief, supplier: Supplier) -> str:
    with pytest.raises(PluginFailure) as caught:
        guarded(Kind.MUTATOR, Mutator("m", mischief), supplier).propose(MutatorContract.view, (), 0)
    return caught.value.message


class Whole:
    """An agent with which nothing is wrong but what a test puts in."""

    def __init__(self, **members: Any) -> None:
        self.name, self.identity, self.traits = "a", {}, Traits(EvidenceOrigin.LIVE)
        vars(self).update(members)


def agent_with(supplier: Supplier, **members: Any) -> Any:
    type_ = guarded(Kind.AGENT, AgentType("a", "1", lambda settings: Whole(**members)), supplier)
    return type_.make(AgentSettings("a", None, None, Path("/")))


def said_in_make(mischief: Mischief, supplier: Supplier) -> str:
    with pytest.raises(PluginFailure) as caught:
        guarded(Kind.AGENT, AgentType("a", "1", mischief), supplier).make(AgentSettings("a", None, None, Path("/")))
    return caught.value.message


def said_in_complete(mischief: Mischief, supplier: Supplier) -> str:
    with pytest.raises(AgentFailure) as caught:
        agent_with(supplier, complete=mischief).complete(CompleteRequest("sha256:0", "?", None, 1), io.BytesIO())
    return caught.value.message


def said_in_parse(mischief: Mischief, supplier: Supplier) -> str:
    with pytest.raises(AgentFailure) as caught:
        agent_with(supplier, parse=mischief).parse(b"x")
    return caught.value.message


def said_in_unavailable(mischief: Mischief, supplier: Supplier) -> str:
    return str(agent_with(supplier, unavailable=mischief).unavailable())


class Idle:
    """An executor with which nothing is wrong but what a test puts in."""

    def __init__(self, **members: Any) -> None:
        vars(self).update(members)


def said_by_an_executor(verb: str, *arguments: Any) -> Callable[[Mischief, Supplier], str]:
    def said(mischief: Mischief, supplier: Supplier) -> str:
        executor = guarded(Kind.EXECUTOR, ExecutorType("e", lambda url: Idle(**{verb: mischief})), supplier).open("e://")
        with pytest.raises(PluginFailure) as caught:
            getattr(executor, verb)(*arguments)
        return caught.value.message

    return said


def said_in_open(mischief: Mischief, supplier: Supplier) -> str:
    with pytest.raises(PluginFailure) as caught:
        guarded(Kind.EXECUTOR, ExecutorType("e", mischief), supplier).open("e://")
    return caught.value.message


PLACES: dict[str, Callable[[Mischief, Supplier], str]] = {
    "gate": said_by_a_gate,
    "check": said_by_a_check,
    "reader": said_by_a_reader,
    "report": said_by_a_report,
    "mutator": said_by_a_mutator,
    "executor (open)": said_in_open,
    "executor (slots)": said_by_an_executor("slots"),
    "executor (submit)": said_by_an_executor("submit", b""),
    "executor (everywhere)": said_by_an_executor("everywhere", b""),
    "agent (make)": said_in_make,
    "agent (complete)": said_in_complete,
    "agent (parse)": said_in_parse,
    "agent (unavailable)": said_in_unavailable,
}


def test_whatever_an_agent_says_of_itself_its_identity_has_type_version_model_and_whether_it_is_deterministic(
    stranger: Supplier,
) -> None:
    traits = Traits(EvidenceOrigin.LIVE, deterministic=True)
    silent = guarded(Kind.AGENT, AgentType("a", "7", lambda settings: Whole(traits=traits)), stranger)
    made = silent.make(AgentSettings("house", None, "large", Path("/")))
    assert made.identity == {"plugin": "a", "cache_version": "7", "model": "large", "deterministic": True}
    assert agent_with(stranger).identity == {"plugin": "a", "cache_version": "1"}


@pytest.mark.parametrize("own", [{"model": "small"}, {"plugin": "b"}, {"cache_version": "2"}, {"deterministic": False}])
def test_an_identity_that_says_otherwise_is_a_failure(own: dict[str, Any], stranger: Supplier) -> None:
    traits = Traits(EvidenceOrigin.LIVE, deterministic=True)
    type_ = guarded(Kind.AGENT, AgentType("a", "1", lambda settings: Whole(identity=own, traits=traits)), stranger)
    with pytest.raises(PluginFailure, match="its identity says"):
        type_.make(AgentSettings("house", None, "large", Path("/")))


class Foreign(BaseException):
    """No Exception, and none of Python's own."""


def raising(error: BaseException) -> Mischief:
    def mischief(*arguments: Any) -> Any:
        raise error

    return mischief


def later(error: BaseException) -> Mischief:
    """Breaks when what it returned is looked through."""

    def mischief(*arguments: Any) -> Iterator[Any]:
        yield from ()
        raise error

    return mischief


_number = itertools.count()
RAISED = (ValueError("?"), Foreign("?"), SystemExit(0), KeyboardInterrupt(), GeneratorExit(), RecursionError(), MemoryError())


@pytest.fixture
def stranger() -> Supplier:
    """One for each test: whoever hung once is not called again."""
    return Supplier(f"stranger-{next(_number)}", "1")


def test_every_kind_is_here() -> None:
    assert {place.partition(" ")[0] for place in PLACES} == {kind.value for kind in Kind}


@pytest.mark.parametrize("place", list(PLACES))
@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_whatever_is_raised_is_a_failure_that_names_the_plugin_and_the_error(
    place: str, error: BaseException, stranger: Supplier
) -> None:
    said = PLACES[place](raising(error), stranger)
    assert f"the plugin {stranger} failed in the {place.partition(' ')[0]} " in said
    assert type(error).__name__ in said


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_an_agent_that_cannot_say_what_an_answer_cost_has_no_cost(error: BaseException, stranger: Supplier) -> None:
    assert agent_with(stranger, billed=raising(error)).billed(b"x") is None


def test_so_is_what_is_raised_while_a_proposal_is_fetched(stranger: Supplier) -> None:
    assert "SystemExit" in said_by_a_mutator(later(SystemExit(0)), stranger)


@pytest.mark.parametrize("place", list(PLACES))
def test_a_hang_is_left_behind_and_named(place: str, stranger: Supplier, monkeypatch: pytest.MonkeyPatch) -> None:
    in_time = contain._ended
    monkeypatch.setattr(contain, "_ended", lambda thread, manner: in_time(thread, manner._replace(seconds=0.05)))
    release = threading.Event()
    assert "it did not return within" in PLACES[place](lambda *arguments: release.wait(60), stranger)
    release.set()


@pytest.mark.parametrize("place", list(PLACES))
def test_a_write_into_the_workspace_is_refused_named_and_no_result_although_the_error_is_swallowed(
    place: str, stranger: Supplier, tmp_path: Path
) -> None:
    protect(tmp_path)

    def mischief(*arguments: Any) -> Any:
        try:
            (tmp_path / "written").write_text("here")
        except OSError:
            return None

    assert f"it may not write {tmp_path / 'written'}" in PLACES[place](mischief, stranger)
    assert list(tmp_path.iterdir()) == []


TWIN = """
from selftune_build.plugins import *
from selftune_build.plugins import AgentType, ExecutorType, Family, Format, Gate, Mutator, ReportFormat, hookimpl

def nothing(*arguments):
    return None

@hookimpl
def selftune_agents():
    return [AgentType("twin", "1", nothing)]

@hookimpl
def selftune_gates():
    return [Gate("twin", nothing)]

@hookimpl
def selftune_checks():
    return [Family("twin/1", nothing)]

@hookimpl
def selftune_readers():
    return [Format("twin", nothing)]

@hookimpl
def selftune_mutators():
    return [Mutator("twin", nothing)]

@hookimpl
def selftune_reports():
    return [ReportFormat("twin", nothing)]

@hookimpl
def selftune_executors():
    return [ExecutorType("twin", nothing)]
"""
EVALS = 'format: selftune.evals/1\ncases:\n  - {id: a, prompt: "use pdf now", should_trigger: true, checks: [{%s: DONE}]}\n'
USES: dict[Kind, tuple[str, str, list[str]]] = {
    Kind.AGENT: ("contains", "agent: twin", []),
    Kind.GATE: ("contains", "gates: {twin: {}}", []),
    Kind.CHECK: ("twin/1", "", []),
    Kind.READER: ("contains", 'readers: {twin: ["evals/*.txt"]}', []),
    Kind.REPORT: ("contains", "", ["--report", "twin=out.txt"]),
    Kind.EXECUTOR: ("contains", "", ["--executor", "twin://"]),
}


@pytest.fixture
def twins(site: SiteFolder) -> SiteFolder:
    for name, version in (("selftune-left", "1.0"), ("selftune-right", "2.0")):
        site.install(name, TWIN, version)
    return site


@pytest.mark.parametrize("kind", list(USES), ids=str)
def test_an_id_that_is_supplied_twice_is_bad_input_where_it_is_named(
    kind: Kind, plugged: SkillWorkspace, twins: SiteFolder
) -> None:
    check, setting, arguments = USES[kind]
    files = {"evals/evals.yaml": EVALS % check, "evals/more.txt": "x", "selftune.yaml": f"version: 1\n{setting}\n"}
    finished = plugged.skill("pdf", files).run("build", "pdf", *arguments, "--json")
    assert finished.status == 2, finished.stdout
    assert f"the {kind} 'twin" in finished.stdout
    assert "is supplied twice, by selftune-left 1.0 and selftune-right 2.0" in finished.stdout


@pytest.mark.parametrize("kind", list(Kind), ids=str)
def test_so_it_is_wherever_somebody_looks_for_it(
    kind: Kind, twins: SiteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(twins.path))
    installed = Installed(tmp_path / "nowhere", lambda _: None)
    with pytest.raises(InputError, match="is supplied twice") as caught:
        installed.find(kind, "twin/1" if kind is Kind.CHECK else "twin")
    assert caught.value.code == "plugin-duplicate"
    for name in ("selftune_left", "selftune_right"):
        sys.modules.pop(name, None)
