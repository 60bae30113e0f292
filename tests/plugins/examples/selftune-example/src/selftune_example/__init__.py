"""A plugin that implements every hook. It says on stderr when it is imported."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO

from selftune_build.plugins import (
    AgentFailure,
    AgentSettings,
    AgentType,
    Case,
    CaseEvidence,
    Check,
    CheckContext,
    CheckResult,
    CompleteRequest,
    Decision,
    Edit,
    ErrorKind,
    EvalReading,
    EvidenceOrigin,
    ExecutorType,
    Facts,
    Family,
    Format,
    Gate,
    GateSetting,
    Mutator,
    Overlay,
    PackageView,
    Reply,
    Report,
    ReportFormat,
    RunRequest,
    Source,
    Traits,
    Transcript,
    Usage,
    Verdict,
    decided,
    hookimpl,
    work,
)

selftune_api = 1

print("selftune_example is imported", file=sys.stderr)


class EchoAgent:
    """Activates every skill whose name stands in the prompt, and answers with the prompt."""

    def __init__(self, settings: AgentSettings) -> None:
        self.name = settings.name
        self.identity: dict[str, Any] = {"model": settings.model} if settings.model else {}
        self.traits = Traits(EvidenceOrigin.RECORDED, deterministic=True, free=True)

    def run(self, request: RunRequest, answer: BinaryIO) -> None:
        used = [skill.name for skill in request.skills if skill.name in request.prompt]
        answer.write(json.dumps({"echo": request.prompt, "used": used}).encode())

    def complete(self, request: CompleteRequest, answer: BinaryIO) -> None:
        answer.write(json.dumps({"echo": request.prompt, "used": []}).encode())

    def parse(self, raw: bytes) -> Reply:
        try:
            data = json.loads(raw)
            return Reply(data["echo"], tuple(data["used"]), (), ())
        except (ValueError, LookupError, TypeError) as error:
            raise AgentFailure(ErrorKind.PROTOCOL, str(error)) from None

    def billed(self, raw: bytes) -> Usage | None:
        return None

    def unavailable(self) -> str | None:
        return None


class Completing(EchoAgent):
    """As EchoAgent, and says that it completes."""

    def __init__(self, settings: AgentSettings) -> None:
        super().__init__(settings)
        self.traits = Traits(EvidenceOrigin.RECORDED, deterministic=True, free=True, completes=True)


def judge_gate(facts: Facts, setting: GateSetting, confidence: float) -> Decision | None:
    """At least `min` cases."""
    least = int(setting.min or 1)
    verdict = Verdict.PASS if len(facts.evals) >= least else Verdict.FAIL
    return Decision(verdict, f"{len(facts.evals)} cases, at least {least} are wanted") if facts.evals else None


def judge_check(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """The answer ends with `value`."""
    return decided(transcript.reply.output.endswith(check.params["value"]), "looked at the end of the answer")


def read(source: Source) -> EvalReading:
    """One prompt on each line; whether the skill should trigger is told by a leading plus or minus."""
    lines = [line for line in source.document.data.splitlines() if line]
    return EvalReading(
        tuple(Case(f"l{i}", line[1:], should_trigger=line[0] == "+", origin=source.origin("")) for i, line in enumerate(lines))
    )


def propose(view: PackageView, evidence: tuple[CaseEvidence, ...], seed: int) -> Iterable[Overlay]:
    """One more file."""
    yield Overlay((Edit("NOTES.md", b"%d" % seed),), view.tree, "a note", frozenset({"file:NOTES.md"}))


def render(report: Report) -> str:
    """The verdict alone."""
    return f"verdict {report.verdict}\n"


@hookimpl
def selftune_agents() -> Iterable[AgentType]:
    return [AgentType("echo", "7", Completing, "answers with the prompt")]


@hookimpl
def selftune_gates() -> Iterable[Gate]:
    return [Gate("enough-cases", judge_gate, summary="there are enough cases")]


@hookimpl
def selftune_checks() -> Iterable[Family]:
    return [Family("ends-with/1", judge_check)]


@hookimpl
def selftune_readers() -> Iterable[Format]:
    return [Format("plus-minus", read)]


@hookimpl
def selftune_mutators() -> Iterable[Mutator]:
    return [Mutator("note", propose)]


@hookimpl
def selftune_reports() -> Iterable[ReportFormat]:
    return [ReportFormat("verdict", render)]


class Here:
    """One worker, a thread of the build itself."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)

    def slots(self) -> int:
        return 1

    def submit(self, content: bytes) -> Future[bytes]:
        return self._pool.submit(work, content)

    def everywhere(self, content: bytes) -> Mapping[str, bytes | BaseException]:
        return {"here": work(content)}

    def close(self) -> None:
        self._pool.shutdown()
        print("the example is closed", file=sys.stderr)


@hookimpl
def selftune_executors() -> Iterable[ExecutorType]:
    return [ExecutorType("here", lambda url: Here())]
