"""From a report to the tree of its spans: invocation, packages, stages, cases, samples.

Names and attributes of a sample are those of the GenAI conventions for `invoke_agent` (gen-ai-agent-spans of
open-telemetry/semantic-conventions-genai); what they have no word for begins with `selftune.`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from selftune_build.plugins import PackageReport, Report, Sample, ShownCase, ShownCheck, ShownSample, StageReport
from selftune_report_otel.node import Node, Value, known

PROVIDER = "selftune-build"
"""The conventions ask for whoever serves the model; which host of which model that is, an agent need not tell."""
_SCRIPT = "script"
_MILLION = 1_000_000


def tree(report: Report, *, content: bool) -> Node:
    """The invocation. `content`: with prompts, answers and the evidence of checks."""
    attributes = known(
        selftune__verdict=str(report.verdict),
        selftune__exit_code=report.exit_code,
        selftune__mode=report.mode,
        selftune__agent_calls=report.spend.agent_calls,
        selftune__judge_calls=report.spend.judge_calls,
        selftune__reused=report.spend.reused,
        selftune__cost_usd=float(report.spend.cost_usd),
    )
    return Node("invocation", "selftune build", attributes, [_package(each, content) for each in report.packages])


def _package(package: PackageReport, content: bool) -> Node:
    attributes = known(
        selftune__package=package.name,
        selftune__path=package.path,
        selftune__agent=package.agent,
        selftune__origin=package.origin,
        selftune__verdict=str(package.verdict),
    )
    events = [
        ("selftune.gate", known(selftune__gate=gate.id, selftune__verdict=str(gate.verdict), selftune__required=gate.required))
        for gate in package.gates
    ]
    stages = [_stage(each, package, content) for each in package.stages]
    return Node(f"package {package.path} {package.agent}", f"package {package.name}", attributes, stages, events=events)


def _stage(stage: StageReport, package: PackageReport, content: bool) -> Node:
    attributes = known(
        selftune__target=stage.target,
        selftune__state=str(stage.state),
        selftune__run=stage.run,
        selftune__reused=stage.reused,
    )
    shown = package.detail.shown if package.detail is not None else {}
    cases = [_case(target, each, package, content) for target, each in shown.items() if target.startswith(f"{stage.target}[")]
    return Node(f"stage {stage.target}", f"stage {stage.target.rpartition(':')[2]}", attributes, cases)


def _case(target: str, shown: ShownCase, package: PackageReport, content: bool) -> Node:
    row = next((each for each in package.rows if each.target == target), None)
    attributes = known(
        selftune__target=target,
        selftune__case=shown.case.id,
        selftune__arm=shown.arm,
        selftune__state=str(row.state) if row is not None else None,
        selftune__samples=len(shown.samples),
    )
    samples = [_sample(each, shown, package, content) for each in shown.samples]
    return Node(f"case {target}", f"case {shown.case.id}", attributes, samples)


def _sample(each: ShownSample, shown: ShownCase, package: PackageReport, content: bool) -> Node:
    sample = each.sample
    is_script = shown.arm == _SCRIPT
    attributes = {
        **known(
            selftune__call_id=sample.call_id,
            selftune__sample=sample.index,
            selftune__sample_digest=sample.digest,
            selftune__counts=each.counts,
            selftune__activated=each.activated,
            error__type="timeout" if sample.transcript.limit else None,
        ),
        **({} if is_script else _agent(sample, shown, package)),
        **(_messages(sample, shown) if content and not is_script else {}),
    }
    name = f"script {shown.case.id}" if is_script else f"invoke_agent {shown.agent}"
    return Node(f"sample {sample.call_id}", name, attributes, (), _times(sample), list(_evaluations(each.checks, content)))


def _agent(sample: Sample, shown: ShownCase, package: PackageReport) -> dict[str, Value]:
    reply, usage = sample.transcript.reply, sample.transcript.reply.usage
    return known(
        gen_ai__operation__name="invoke_agent",
        gen_ai__provider__name=PROVIDER,
        gen_ai__agent__name=shown.agent,
        gen_ai__agent__version=reply.program,
        gen_ai__request__model=package.detail.model if package.detail is not None else None,
        gen_ai__response__model=reply.model,
        gen_ai__usage__input_tokens=usage.input_tokens if usage is not None else None,
        gen_ai__usage__output_tokens=usage.output_tokens if usage is not None else None,
        selftune__cost_usd=float(usage.cost_usd) if usage is not None and not usage.unpriced else None,
        selftune__tool_calls=len(reply.tool_calls) if reply.tool_calls is not None else None,
    )


def _messages(sample: Sample, shown: ShownCase) -> dict[str, Value]:
    """What was asked and answered, as the conventions write messages where a span holds only text."""
    asked = {"role": "user", "parts": [{"type": "text", "content": shown.case.prompt}]}
    answer = {"type": "text", "content": sample.transcript.reply.output}
    answered = {"role": "assistant", "parts": [answer], "finish_reason": "stop"}
    return {"gen_ai.input.messages": json.dumps([asked]), "gen_ai.output.messages": json.dumps([answered])}


def _evaluations(checks: Iterable[ShownCheck], content: bool) -> Iterator[tuple[str, dict[str, Value]]]:
    for check in checks:
        label = {True: "pass", False: "fail", None: "not measured"}[check.result.held]
        yield (
            "gen_ai.evaluation.result",
            {
                "gen_ai.evaluation.name": check.id,
                "gen_ai.evaluation.score.label": label,
                **({"gen_ai.evaluation.explanation": check.result.evidence} if content else {}),
            },
        )


def _times(sample: Sample) -> tuple[int, int] | None:
    """When it was finished, and so many milliseconds before that."""
    if not sample.recorded:
        return None
    try:
        recorded = datetime.fromisoformat(sample.recorded)
    except ValueError:
        return None
    end = int(recorded.timestamp() * 1000) * _MILLION
    return end - (sample.transcript.milliseconds or 0) * _MILLION, end
