"""What gates, checks, readers, mutators and reports of plugins have to hold to."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any, ClassVar

import pytest

from selftune_build.checks.context import CheckContext
from selftune_build.checks.registry import Family
from selftune_build.errors import InputError
from selftune_build.fingerprint.digest import digest_json
from selftune_build.gates.builtin import RESERVED, Gate
from selftune_build.gates.facts import Facts
from selftune_build.gates.outcomes import CaseOutcome
from selftune_build.model.case import Arm, Case, Check
from selftune_build.model.manifest import GateSetting
from selftune_build.model.report import Report, Spend
from selftune_build.model.sample import Reply, Transcript
from selftune_build.model.verdict import CheckResult, Verdict
from selftune_build.mutators.protocol import CaseEvidence, Mutator, Overlay, PackageView
from selftune_build.plugins.contain import Supplier
from selftune_build.plugins.guarded import guarded_check, guarded_gate, guarded_mutator, guarded_reader, guarded_report
from selftune_build.plugins.kinds import Kind, id_fault
from selftune_build.reading.evals.recognise import Format
from selftune_build.reading.evals.source import EvalReading
from selftune_build.reading.evals.suite import read_eval_files
from selftune_build.reading.skill import read_skill
from selftune_build.report.format import ReportFormat
from selftune_build.stats.bounds import UNDECIDED, Bounds, exactly
from selftune_build.stats.decision import Decision

_SUPPLIER = Supplier("plugin-under-test")


def outcome(
    name: str, *, passed: Bounds | float | None = None, behaved: Bounds | float | None = None, should_trigger: bool | None = None
) -> CaseOutcome:
    """One case for `Facts`: means as numbers from 0 to 1, `UNDECIDED` for a case without evidence."""
    missing = (Arm.WITH_SKILL.value,) if UNDECIDED in (passed, behaved) else ()
    return CaseOutcome(name, False, should_trigger, _bounds(behaved), _bounds(passed), None, missing)


def facts(**passed: Bounds | float) -> Facts:
    """Facts with one case with checks for each keyword: its name and in which share of its samples they held."""
    return Facts(tuple(outcome(name, passed=value) for name, value in passed.items()))


def _bounds(value: Bounds | float | None) -> Bounds | None:
    return value if value is None or isinstance(value, Bounds) else exactly(Fraction(str(value)))


class GateContract:
    """Subclass it with `gate`, and `decided`: facts → the verdict that the gate has to give under `setting`."""

    gate: ClassVar[Gate]
    setting: ClassVar[GateSetting] = GateSetting()
    confidence: ClassVar[float] = 0.95
    decided: ClassVar[tuple[tuple[Facts, Verdict | None], ...]] = ()

    def judge(self, given: Facts) -> Decision | None:
        """The gate as the engine asks it."""
        return guarded_gate(self.gate, _SUPPLIER).judge(given, self.setting, self.confidence)

    def test_its_id_can_be_written_in_a_manifest(self) -> None:
        """Under `gates:`; the ids of built-in gates are taken."""
        assert id_fault(Kind.GATE, self.gate.id) is None
        assert self.gate.id not in RESERVED

    def test_it_decides_as_it_says(self) -> None:
        """Every pair of `decided`, at least one of which passes and one does not."""
        given = [self.judge(facts_) for facts_, _ in self.decided]
        assert [decision and decision.verdict for decision in given] == [verdict for _, verdict in self.decided]
        assert {Verdict.PASS} < {verdict for _, verdict in self.decided}, "show a pass and something else in `decided`"

    def test_it_says_why_in_one_sentence(self) -> None:
        """The message of a decision is what people read."""
        for given, _ in self.decided:
            decision = self.judge(given)
            assert decision is None or (decision.message.strip() and not decision.message.startswith("plugin-failed"))

    def test_nothing_to_measure_is_no_pass(self) -> None:
        """An empty suite: None, or anything but `pass`."""
        decision = self.judge(Facts())
        assert decision is None or decision.verdict is not Verdict.PASS

    def test_cases_without_evidence_are_no_pass(self) -> None:
        """`inconclusive` where nobody knows."""
        decision = self.judge(facts(a=UNDECIDED, b=UNDECIDED))
        assert decision is None or decision.verdict is not Verdict.PASS
        assert decision is None or not decision.message.startswith("plugin-failed"), decision.message

    def test_the_same_facts_get_the_same_decision(self) -> None:
        """`--locked` computes it again from the lock, anywhere."""
        for given, _ in self.decided:
            assert self.judge(given) == self.judge(given)


class CheckContract:
    """Subclass it with `family`, and `judged`: value as written, answer of the agent → whether it holds (None: cannot tell)."""

    family: ClassVar[Family]
    judged: ClassVar[tuple[tuple[Any, str | Transcript, bool | None], ...]] = ()

    def judge(self, value: Any, left: str | Transcript, arm: Arm = Arm.WITH_SKILL) -> CheckResult:
        """The check as the engine asks it, the value read as from an eval file."""
        check = Check(self.family.kind, value if isinstance(value, dict) else {"value": value})
        transcript = left if isinstance(left, Transcript) else Transcript(Reply(left))
        return guarded_check(self.family, _SUPPLIER).judge(check, transcript, CheckContext("pdf", arm))

    def test_its_kind_has_a_version(self) -> None:
        """`NAME/VERSION`, so that what it means is part of every key."""
        assert id_fault(Kind.CHECK, self.family.kind) is None

    def test_it_judges_as_it_says(self) -> None:
        """Every line of `judged`, at least one of which holds and one does not."""
        assert [self.judge(value, left).held for value, left, _ in self.judged] == [held for _, _, held in self.judged]
        assert {True, False} <= {held for _, _, held in self.judged}, "show one that holds and one that fails in `judged`"

    def test_its_evidence_is_one_line(self) -> None:
        """It stands in reports beside the check."""
        for value, left, _ in self.judged:
            evidence = self.judge(value, left).evidence
            assert evidence.strip()
            assert evidence.isprintable()
            assert not evidence.startswith("plugin-failed")

    def test_the_same_sample_gets_the_same_result_under_every_arm_that_differs_in_nothing(self) -> None:
        """It is pure."""
        for value, left, _ in self.judged:
            assert self.judge(value, left) == self.judge(value, left)

    def test_a_value_that_makes_no_sense_is_not_measured_and_never_held(self) -> None:
        """Only the plugin can tell; where it breaks, or says so, the case stays undecided."""
        nonsense_values: tuple[Any, ...] = ({"no-such-parameter": ["?"]}, [], {})
        for nonsense in nonsense_values:
            assert self.judge(nonsense, "some text").held is not True


class ReaderContract:
    """Subclass it with `reader`, `path` (the suffix decides how it is read) and `files` (path → bytes, the eval file among them).

    `prompts` are those of the cases it makes, in order. `refused` are contents it has to refuse with an InputError.
    """

    reader: ClassVar[Format]
    path: ClassVar[str]
    files: ClassVar[dict[str, bytes]]
    prompts: ClassVar[tuple[str, ...]]
    refused: ClassVar[tuple[bytes, ...]] = ()

    def read(self, content: bytes | None = None) -> EvalReading:
        """The cases as the engine gets them."""
        files = {**self.files, **({} if content is None else {self.path: content})}
        format_ = guarded_reader(self.reader, _SUPPLIER)
        return read_eval_files([self.path], _from(files), True, package_name="pdf", readers={self.path: format_})

    def cases_of(self, content: bytes) -> tuple[Case, ...]:
        """The cases of another content, none where it is refused."""
        try:
            return self.read(content).cases
        except InputError:
            return ()

    def test_its_name_can_be_written_in_a_manifest(self) -> None:
        """Under `readers:`."""
        assert id_fault(Kind.READER, self.reader.name) is None

    def test_it_reads_the_cases(self) -> None:
        """One for each prompt."""
        assert tuple(case.prompt for case in self.read().cases) == self.prompts

    def test_every_case_can_be_measured_or_is_a_finding(self) -> None:
        """A case without check and polarity passes for nothing; say so with `source.note`."""
        reading = self.read()
        idle = [case.id for case in reading.cases if not case.checks and case.should_trigger is None]
        assert not idle or reading.findings

    def test_every_case_says_where_it_stands(self) -> None:
        """Messages lead people to it."""
        assert [case.id for case in self.read().cases if case.origin is None] == []

    def test_the_same_bytes_make_the_same_cases(self) -> None:
        """Else every edit of nothing makes results stale."""
        assert self.read() == self.read()

    def test_what_it_cannot_read_is_refused_with_a_place(self) -> None:
        """Each of `refused`, and a file that holds nothing or nonsense is refused or has no case that can pass."""
        for content in self.refused:
            with pytest.raises(InputError) as caught:
                self.read(content)
            assert caught.value.at is not None
        for content in (b"", b"{}", b"\x00", b"x" * 1000):
            assert [case for case in self.cases_of(content) if not case.checks and case.should_trigger is None] == []


class MutatorContract:
    """Subclass it with `mutator`; override `view` and `evidence` where it needs others."""

    mutator: ClassVar[Mutator]
    view: ClassVar[PackageView] = PackageView(
        "pdf",
        digest_json({"tree": "of the suite"}),
        {
            "SKILL.md": b"---\nname: pdf\ndescription: Works with PDF files.\n---\n\n# PDF\n\nForms: references/forms.md\n",
            "references/forms.md": b"# Forms\n\nFill every field.\n",
        },
    )
    evidence: ClassVar[tuple[CaseEvidence, ...]] = (
        CaseEvidence("fill-form", "Fill in this form.", True, 3, 1, 1, ('contains "filled"',)),
        CaseEvidence("capital", "What is the capital of Portugal?", False, 3, 0),
    )

    def propose(self, seed: int = 0) -> tuple[Overlay, ...]:
        """The proposals as whoever tries them gets them."""
        proposals = guarded_mutator(self.mutator, _SUPPLIER).propose(self.view, self.evidence, seed)
        return tuple(proposals)

    def test_its_id_can_be_written(self) -> None:
        """As every other id."""
        assert id_fault(Kind.MUTATOR, self.mutator.id) is None

    def test_it_proposes_something_that_differs(self) -> None:
        """An overlay that changes nothing would be paid for and decide nothing."""
        proposals = self.propose()
        assert proposals
        for overlay in proposals:
            assert any(self.view.files.get(edit.path) != edit.content for edit in overlay.patch)

    def test_every_proposal_names_its_parent_and_its_reason(self) -> None:
        """They are kept and shown."""
        for overlay in self.propose():
            assert overlay.parent == self.view.tree
            assert overlay.reason.strip()
            assert overlay.reason.isprintable()

    def test_it_touches_what_it_declares_and_nothing_else(self) -> None:
        """The facets of each overlay, compared with what its patch changes."""
        for overlay in self.propose():
            assert touched(self.view, overlay) == overlay.surface

    def test_the_same_seed_gives_the_same_proposals(self) -> None:
        """A search can be repeated."""
        assert self.propose(7) == self.propose(7)

    def test_a_package_that_was_proposed_can_still_be_read(self) -> None:
        """SKILL.md stays, and keeps its name."""
        for overlay in self.propose():
            content = patched(self.view, overlay)["SKILL.md"]
            assert read_skill(content, "SKILL.md", self.view.name).skill.name == self.view.name


class ReportContract:
    """Subclass it with `format_`; override `check` to look into what it writes."""

    format_: ClassVar[ReportFormat]
    report: ClassVar[Report] = Report(Verdict.INCONCLUSIVE, 3, Spend(), (), "build")

    def check(self, text: str) -> None:
        """What has to hold of the text."""
        assert text

    def test_its_id_can_be_written_on_the_command_line(self) -> None:
        """As `--report ID=FILE`."""
        assert id_fault(Kind.REPORT, self.format_.id) is None

    def test_it_writes_a_report_without_packages(self) -> None:
        """Also where nothing was selected."""
        self.check(guarded_report(self.format_, _SUPPLIER).render(self.report))

    def test_the_same_report_gives_the_same_text(self) -> None:
        """No times, no hosts."""
        render = guarded_report(self.format_, _SUPPLIER).render
        assert render(self.report) == render(self.report)


def touched(view: PackageView, overlay: Overlay) -> frozenset[str]:
    """The facets that an overlay changes."""
    after = patched(view, overlay)
    names = {f"file:{path}" for path in {*view.files, *after} - {"SKILL.md"} if view.files.get(path) != after.get(path)}
    before, now = (read_skill(files["SKILL.md"], "SKILL.md", view.name).skill for files in (view.files, after))
    names |= {"metadata"} if json.dumps(before.frontmatter) != json.dumps(now.frontmatter) else set()
    return frozenset(names | ({"body"} if before.body != now.body else set()))


def patched(view: PackageView, overlay: Overlay) -> dict[str, bytes]:
    """The files of the package with an overlay laid over them."""
    files = {**view.files, **{edit.path: edit.content for edit in overlay.patch}}
    return {path: content for path, content in files.items() if content is not None}


def _from(files: dict[str, bytes]) -> Callable[[str], bytes]:
    def read(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(2, "No such file", path)
        return files[path]

    return read
