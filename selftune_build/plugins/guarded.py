"""Gates, checks, readers, mutators and reports of plugins as the engine gets them: contained, their answers checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

import msgspec

from selftune_build.checks.context import CheckContext, not_measured
from selftune_build.checks.registry import Family
from selftune_build.errors import PLUGIN_FAILED, InputError, UndecidedError
from selftune_build.gates.builtin import REVISION, Gate
from selftune_build.gates.facts import Facts, Look
from selftune_build.gates.wording import plain
from selftune_build.limits import CANDIDATES, MUTATOR_QUESTIONS, MUTATOR_SECONDS, PLUGIN_LOOK_SECONDS
from selftune_build.model.case import Arm, Case, Check
from selftune_build.model.learned import learned
from selftune_build.model.manifest import GateSetting
from selftune_build.model.report import Report
from selftune_build.model.sample import Transcript
from selftune_build.model.verdict import CheckResult, Verdict
from selftune_build.mutators.protocol import CaseEvidence, Consultation, Mutator, Overlay, PackageView, Question
from selftune_build.plugins.contain import Manner, PluginFailure, Supplier, contained
from selftune_build.plugins.guarded_agent import guarded_agent_type
from selftune_build.plugins.guarded_executor import guarded_executor_type
from selftune_build.plugins.kinds import Kind
from selftune_build.reading.evals.content import has_float
from selftune_build.reading.evals.identifiers import id_fault
from selftune_build.reading.evals.recognise import Format
from selftune_build.reading.evals.source import EvalReading, Source
from selftune_build.relpath import fault as path_fault
from selftune_build.report.format import ReportFormat
from selftune_build.stats.decision import Decision


def guarded(kind: Kind, each: Any, supplier: Supplier) -> Any:
    """What a plugin supplies, as the rest of the program may use it."""
    return _GUARDS[kind](each, supplier)


def guarded_gate(gate: Gate, supplier: Supplier) -> Gate:
    """The gate; where it breaks it is inconclusive and says so. It never runs unless a manifest names it."""

    def judge(facts: Facts, setting: GateSetting, confidence: float) -> Decision | None:
        place = f"the gate `{gate.id}`"
        unknown = sorted(setting.options.keys() - {*gate.options, *((REVISION,) if gate.against else ())})
        if unknown:
            return Decision(Verdict.INCONCLUSIVE, plain(f"it takes no option {unknown[0]!r}"), "see the README of its plugin")
        try:
            return contained(supplier, place, lambda: _decision(gate.judge(facts, setting, confidence)))
        except PluginFailure as failure:
            return Decision(Verdict.INCONCLUSIVE, plain(f"{PLUGIN_FAILED}: {failure.message}"), code=PLUGIN_FAILED)

    guarded = msgspec.structs.replace(gate, judge=judge, asked=True, required=True)
    looks = gate.look
    if looks is None:
        return guarded

    def look(folder: str, setting: GateSetting) -> Look:
        manner = Manner(PLUGIN_LOOK_SECONDS, reads_only=False)
        try:
            return contained(supplier, f"the gate `{gate.id}`", lambda: _look(looks(folder, setting)), manner)
        except PluginFailure as failure:
            return Look(trouble=f"{PLUGIN_FAILED}: {failure.message}")

    return msgspec.structs.replace(guarded, look=look)


def guarded_check(family: Family, supplier: Supplier) -> Family:
    """The kind of check; where it breaks the check is not measured. It is about the outcome and applies under every arm."""

    def judge(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
        place = f"the check `{family.kind}`"
        try:
            return contained(supplier, place, lambda: _result(family.judge(check, transcript, context)))
        except PluginFailure as failure:
            return not_measured(f"{PLUGIN_FAILED}: {failure.message}")

    return Family(family.kind, judge, frozenset(Arm), summary=family.summary)


def guarded_reader(format_: Format, supplier: Supplier) -> Format:
    """The reader; raises InputError for what it refuses, PluginFailure where it breaks or makes what is no case."""

    def read(source: Source) -> EvalReading:
        place = f"the reader `{format_.name}`"
        return contained(supplier, place, lambda: _reading(format_.read(source)), Manner(passes=(InputError,)))

    return Format(format_.name, read, summary=format_.summary)


def guarded_mutator(mutator: Mutator, supplier: Supplier) -> Mutator:
    """The mutator; raises UndecidedError, and PluginFailure where it breaks, does not come back, or proposes without end."""

    def called(each: Callable[[Any], Any], answer: Callable[[], Iterable[Any]], most: int) -> tuple[Any, ...]:
        place = f"the mutator `{mutator.id}`"
        manner = Manner(MUTATOR_SECONDS, passes=(UndecidedError,), reads_only=False)
        return contained(supplier, place, lambda: _few(map(each, answer()), most), manner)

    def propose(view: PackageView, evidence: tuple[CaseEvidence, ...], seed: int) -> tuple[Overlay, ...]:
        return called(_overlay, lambda: mutator.propose(view, evidence, seed), CANDIDATES)

    guarded = msgspec.structs.replace(mutator, propose=propose)
    consult = mutator.consult
    if consult is None:
        return guarded

    def ask(view: PackageView, evidence: tuple[CaseEvidence, ...], seed: int) -> tuple[Question, ...]:
        return called(_question, lambda: consult.ask(view, evidence, seed), MUTATOR_QUESTIONS)

    def propose_from(
        view: PackageView, evidence: tuple[CaseEvidence, ...], seed: int, answers: tuple[Any, ...]
    ) -> tuple[Overlay, ...]:
        return called(_overlay, lambda: consult.propose(view, evidence, seed, answers), CANDIDATES)

    return msgspec.structs.replace(guarded, consult=Consultation(ask, propose_from))


def guarded_report(format_: ReportFormat, supplier: Supplier) -> ReportFormat:
    """The format; raises PluginFailure where it breaks."""

    def render(report: Report) -> str:
        return contained(supplier, f"the report `{format_.id}`", lambda: _text(format_.render(report)))

    guarded = msgspec.structs.replace(format_, render=render)
    sends = format_.send
    if sends is None:
        return guarded

    def send(report: Report, url: str) -> None:
        manner = Manner(passes=(UndecidedError,), reads_only=False)
        contained(supplier, f"the report `{format_.id}`", lambda: sends(report, url), manner)

    return msgspec.structs.replace(guarded, send=send)


def _decision(value: Any) -> Decision | None:
    if value is None:
        return None
    decision = _of(value, Decision)
    return Decision(Verdict(decision.verdict), plain(decision.message), plain(decision.advice))


def _look(value: Any) -> Look:
    look: Look = _of(value, Look)
    msgspec.convert(msgspec.to_builtins(look), learned(Look))
    _refuse_paths(finding.at.path for finding in look.findings if finding.at is not None)
    return look


def _result(value: Any) -> CheckResult:
    result: CheckResult = _of(value, CheckResult)
    if not (result.held is None or isinstance(result.held, bool)) or not isinstance(result.evidence, str):
        raise TypeError("`held` has to be true, false or None, `evidence` text")
    return result


def _reading(value: Any) -> EvalReading:
    return EvalReading(tuple(_case(each) for each in _of(value, EvalReading).cases))


def _case(value: Any) -> Case:
    """A case whose fields hold what they promise: a stranger's reader made it, from a stranger's file."""
    case: Case = _of(value, Case)
    msgspec.convert(msgspec.to_builtins(case), learned(Case))
    fault = id_fault(case.id)
    if fault:
        raise ValueError(f"the id of a case cannot be used: {fault}")
    _refuse_paths(file.dest for file in case.files)
    if any(has_float(check.params) for check in case.checks):
        raise ValueError(f"a check of the case {case.id!r} holds a float")
    return case


def _overlay(value: Any) -> Overlay:
    overlay: Overlay = _of(value, Overlay)
    msgspec.convert(msgspec.to_builtins(overlay), learned(Overlay))
    _refuse_paths(edit.path for edit in overlay.patch)
    return overlay


def _question(value: Any) -> Question:
    question: Question = _of(value, Question)
    if not isinstance(question.prompt, str) or not isinstance(question.schema, dict):
        raise TypeError("a question is a prompt and a schema")
    from jsonschema import Draft202012Validator

    schema = msgspec.to_builtins(question.schema)
    Draft202012Validator.check_schema(schema)
    return Question(question.prompt, schema)


def _few(found: Iterable[Any], most: int) -> tuple[Any, ...]:
    few = tuple(islice(found, most + 1))
    if len(few) > most:
        raise ValueError(f"it returned more than {most}")
    return few


def _refuse_paths(paths: Iterable[str]) -> None:
    """An unsafe path of a plugin's own making is a fault of the plugin, not of a file: no InputError."""
    for path in paths:
        fault = path_fault(path)
        if fault:
            raise ValueError(fault.message)


def _text(value: Any) -> str:
    text: str = _of(value, str)
    return text


def _of(value: Any, expected: type) -> Any:
    if not isinstance(value, expected):
        raise TypeError(f"it returned {type(value).__name__}, not {expected.__name__}")
    return value


_GUARDS: Mapping[Kind, Callable[[Any, Supplier], Any]] = {
    Kind.AGENT: guarded_agent_type,
    Kind.GATE: guarded_gate,
    Kind.CHECK: guarded_check,
    Kind.READER: guarded_reader,
    Kind.MUTATOR: guarded_mutator,
    Kind.REPORT: guarded_report,
    Kind.EXECUTOR: guarded_executor_type,
}
