"""The conformance suites find what is wrong: each fault fails the test that is there for it."""

from __future__ import annotations

from typing import Any

import pytest

from selftune_build.plugins import (
    CaseEvidence,
    Check,
    CheckContext,
    CheckResult,
    Decision,
    Edit,
    Facts,
    Family,
    Format,
    Gate,
    GateSetting,
    Mutator,
    Overlay,
    PackageView,
    Report,
    ReportFormat,
    Transcript,
    Verdict,
    held,
)
from selftune_build.testing import CheckContract, GateContract, MutatorContract, ReaderContract, ReportContract, facts
from selftune_build.testing.workspace import SkillWorkspace


def always(verdict: Verdict) -> Gate:
    return Gate("always", lambda *_: Decision(verdict, "so it is"))


def crashing(given: Facts, setting: GateSetting, confidence: float) -> Decision:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("gate", "test"),
    [
        (always(Verdict.PASS), "test_nothing_to_measure_is_no_pass"),
        (always(Verdict.PASS), "test_cases_without_evidence_are_no_pass"),
        (Gate("crashes", crashing), "test_cases_without_evidence_are_no_pass"),
        (Gate("crashes", crashing), "test_it_says_why_in_one_sentence"),
        (Gate("lift", crashing), "test_its_id_can_be_written_in_a_manifest"),
        (Gate("Not An Id", crashing), "test_its_id_can_be_written_in_a_manifest"),
        (always(Verdict.FAIL), "test_it_decides_as_it_says"),
    ],
)
def test_a_gate_that_is_wrong_fails_its_suite(gate: Gate, test: str) -> None:
    class Suite(GateContract):
        decided = ((facts(a=1), Verdict.PASS), (facts(a=0), Verdict.FAIL))

    Suite.gate = gate
    with pytest.raises(AssertionError):
        getattr(Suite(), test)()


def generous(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    return held("everything is fine")


@pytest.mark.parametrize(
    ("kind", "test"),
    [
        ("fine", "test_its_kind_has_a_version"),
        ("fine/1", "test_it_judges_as_it_says"),
        ("fine/1", "test_a_value_that_makes_no_sense_is_not_measured_and_never_held"),
    ],
)
def test_a_check_that_is_wrong_fails_its_suite(kind: str, test: str) -> None:
    class Suite(CheckContract):
        judged = (("x", "x", True), ("y", "x", False))

    Suite.family = Family(kind, generous)
    with pytest.raises(AssertionError):
        getattr(Suite(), test)()


def proposing(*overlays: Overlay) -> Mutator:
    def propose(view: PackageView, evidence: tuple[CaseEvidence, ...], seed: int) -> tuple[Overlay, ...]:
        return overlays

    return Mutator("wrong", propose)


PARENT = MutatorContract.view.tree
BROKEN = Overlay((Edit("SKILL.md", b"---\nname: other\n---\n"),), PARENT, "why", frozenset({"metadata", "body"}))


@pytest.mark.parametrize(
    ("mutator", "test"),
    [
        (proposing(), "test_it_proposes_something_that_differs"),
        (
            proposing(Overlay((Edit("SKILL.md", MutatorContract.view.files["SKILL.md"]),), PARENT, "why", frozenset())),
            "test_it_proposes_something_that_differs",
        ),
        (
            proposing(Overlay((Edit("a", b""),), "other", "why", frozenset())),
            "test_every_proposal_names_its_parent_and_its_reason",
        ),
        (proposing(Overlay((Edit("a", b""),), PARENT, " ", frozenset())), "test_every_proposal_names_its_parent_and_its_reason"),
        (proposing(Overlay((Edit("a", b""),), PARENT, "why", frozenset())), "test_it_touches_what_it_declares_and_nothing_else"),
        (proposing(BROKEN), "test_a_package_that_was_proposed_can_still_be_read"),
    ],
)
def test_a_mutator_that_is_wrong_fails_its_suite(mutator: Mutator, test: str) -> None:
    class Suite(MutatorContract):
        pass

    Suite.mutator = mutator
    with pytest.raises(AssertionError):
        getattr(Suite(), test)()


def test_a_reader_that_is_wrong_fails_its_suite() -> None:
    from selftune_build.plugins import Case, EvalReading

    class Suite(ReaderContract):
        path = "evals/x.txt"
        files = {"evals/x.txt": b"a"}  # noqa: RUF012
        prompts = ("a",)
        refused = (b"refuse me",)
        reader = Format("r", lambda source: EvalReading((Case(id="a", prompt="b"),)))

    suite = Suite()
    for test in (
        suite.test_it_reads_the_cases,
        suite.test_every_case_can_be_measured_or_is_a_finding,
        suite.test_every_case_says_where_it_stands,
    ):
        with pytest.raises(AssertionError):
            test()
    with pytest.raises(pytest.fail.Exception):
        suite.test_what_it_cannot_read_is_refused_with_a_place()


def test_a_report_that_is_wrong_fails_its_suite() -> None:
    count: list[Any] = []

    def render(report: Report) -> str:
        count.append(report)
        return str(len(count))

    class Suite(ReportContract):
        format_ = ReportFormat("r", render)

    with pytest.raises(AssertionError):
        Suite().test_the_same_report_gives_the_same_text()


def test_the_agent_suite_finds_a_guessing_parser_and_an_unstable_identity(skill_workspace: SkillWorkspace) -> None:
    skill_workspace.write(
        {
            "conftest.py": 'pytest_plugins = ["selftune_build.testing"]\n',
            "test_agent.py": BAD_AGENT,
        }
    )
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=skill_workspace.root,
        capture_output=True,
        text=True,
        timeout=120,
    )
    failed = {line.rpartition("::")[2].split(" ")[0] for line in done.stdout.splitlines() if line.startswith("FAILED")}
    assert failed == {
        "test_its_identity_is_the_same_each_time_and_in_every_folder",
        "test_its_identity_depends_on_the_model_that_is_asked_for",
        "test_it_names_only_skills_that_were_on_offer",
        "test_what_it_read_lies_in_the_workspace",
        "test_it_writes_nothing_beside_its_workspace",
        "test_what_is_no_answer_is_refused_and_never_guessed",
    }


BAD_AGENT = """
from selftune_build.plugins import *
from selftune_build.plugins import AgentFailure, AgentType, ErrorKind, EvidenceOrigin, Reply, Traits
from selftune_build.testing import AgentContract


class Agent:
    def __init__(self, settings):
        self.name = settings.name
        self.identity = {"root": str(settings.workspace_root)}
        self.root = settings.workspace_root
        self.traits = Traits(EvidenceOrigin.LIVE)

    def run(self, request, answer):
        (self.root / "log.txt").write_text("ran")
        answer.write(b"whatever")

    def complete(self, request, answer):
        raise AgentFailure(ErrorKind.UNAVAILABLE, "no")

    def parse(self, raw):
        return Reply("guessed", ("skill-that-nobody-offered",), ("/etc/passwd",), ())

    def billed(self, raw):
        return None

    def unavailable(self):
        return None


class TestBad(AgentContract):
    agent_type = AgentType("bad", "1", Agent)

    def test_its_identity_depends_on_the_model_that_is_asked_for(self, agent, tmp_path):
        settings_of = lambda model: Agent(type("S", (), {"name": "a", "workspace_root": tmp_path, "model": model})).identity
        assert settings_of("a") != settings_of("b")
"""
