"""Real builds whose spans go to a real OTLP/HTTP endpoint, which decodes them."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from selftune_build.testing import SkillWorkspace

PROMPT, ANSWER = "brew a secret coffee", "a very secret DONE"
AGENT = f"""
import json, sys
request = json.load(sys.stdin)
skills = [skill["name"] for skill in request["skills"]]
usage = {{"input_tokens": 11, "output_tokens": 7, "cost_usd": 0.25}}
answer = {{"output": "{ANSWER}", "skills_used": skills, "files_read": [], "tool_calls": [], "usage": usage, "model": "served-1"}}
json.dump(answer, sys.stdout)
"""
MANIFEST = """
version: 1
agent: house
model: asked-1
agents: {house: {type: command, argv: [python3, agent.py], deterministic: true, free: true}}
competitors: none
gates: {trigger-recall: {min: 0}, task-pass-rate: {min: 0}}
"""
EVALS = f"""
format: selftune.evals/1
cases:
  - {{id: one, prompt: "{PROMPT}", should_trigger: true, checks: [{{contains: DONE}}, {{contains: tea}}]}}
"""


@pytest.fixture
def workspace(skill_workspace: SkillWorkspace) -> SkillWorkspace:
    return skill_workspace.skill("brew", {"selftune.yaml": MANIFEST, "agent.py": AGENT, "evals/evals.yaml": EVALS})


def test_a_run_is_one_trace_from_the_invocation_down_to_the_samples(workspace: SkillWorkspace, receiver: Any) -> None:
    assert workspace.run("build", "brew", "--report", f"otel={receiver.url}").status == 0
    spans = {span.span_id: span for span in receiver.spans()}
    assert [path for path, _, _ in receiver.requests] == ["/v1/traces"]
    assert {span.trace_id for span in spans.values()} == {receiver.spans()[0].trace_id}
    (sample,) = [
        span
        for span in spans.values()
        if span.name == "invoke_agent house" and spans[spans[span.parent_span_id].parent_span_id].name == "stage replay"
    ]
    chain, span = [], sample
    while span.parent_span_id:
        span = spans[span.parent_span_id]
        chain.append(span.name)
    assert chain == ["case one", "stage replay", "package brew", "selftune build"]
    assert {span.kind for span in spans.values()} == {1}
    assert receiver.resources()[0]["service.name"] == "selftune-build"


def test_a_sample_says_by_the_conventions_who_answered_and_what_it_took(workspace: SkillWorkspace, receiver: Any) -> None:
    workspace.run("build", "brew", "--report", f"otel={receiver.url}")
    samples = [span for span in receiver.spans() if span.name == "invoke_agent house"]
    assert len(samples) == 2
    for sample in samples:
        told = receiver.attributes(sample)
        conventional = {name: value for name, value in told.items() if name.startswith("gen_ai.")}
        assert conventional == {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": "selftune-build",
            "gen_ai.agent.name": "house",
            "gen_ai.request.model": "asked-1",
            "gen_ai.response.model": "served-1",
            "gen_ai.usage.input_tokens": 11,
            "gen_ai.usage.output_tokens": 7,
        }
        assert told["selftune.cost_usd"] == 0.25
        events = [receiver.attributes(event) for event in sample.events]
        assert [event["gen_ai.evaluation.score.label"] for event in events] == ["pass", "fail"]


def test_times_are_those_of_the_samples_and_what_has_none_says_so(workspace: SkillWorkspace, receiver: Any) -> None:
    workspace.run("build", "brew", "--report", f"otel={receiver.url}")
    spans = receiver.spans()
    origins = {span.name: receiver.attributes(span)["selftune.times"] for span in spans}
    assert (origins["invoke_agent house"], origins["selftune build"], origins["stage spec"]) == (
        "recorded",
        "contents",
        "unknown",
    )
    (whole,) = [span for span in spans if span.name == "selftune build"]
    assert 0 < whole.start_time_unix_nano < whole.end_time_unix_nano
    for span in spans:
        assert whole.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano <= whole.end_time_unix_nano


def test_no_prompt_and_no_answer_leaves_the_machine_unless_it_is_asked_for(workspace: SkillWorkspace, receiver: Any) -> None:
    workspace.run("build", "brew", "--report", f"otel={receiver.url}")
    plain = str(receiver.requests)
    assert "secret" not in plain
    receiver.requests.clear()
    workspace.run("build", "brew", "--report", f"otel-content={receiver.url}")
    told = [receiver.attributes(span) for span in receiver.spans() if span.name == "invoke_agent house"]
    assert {json.loads(each["gen_ai.input.messages"])[0]["parts"][0]["content"] for each in told} == {PROMPT}
    assert {json.loads(each["gen_ai.output.messages"])[0]["parts"][0]["content"] for each in told} == {ANSWER}


def test_the_file_has_the_ids_of_what_was_sent(workspace: SkillWorkspace, receiver: Any) -> None:
    arguments = ["--report", f"otel={receiver.url}/v1/traces", "--report", f"otel={receiver.url}", "--report", "otel=spans.jsonl"]
    workspace.run("build", "brew", *arguments)
    (line,) = (workspace.root / "spans.jsonl").read_text().splitlines()
    written = json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    ids = {(span["traceId"], span["spanId"]) for span in written}
    sent = [(span.trace_id.hex(), span.span_id.hex()) for span in receiver.spans()]
    assert len(ids) == len(written)
    assert sorted(sent) == sorted([*ids, *ids])


def test_headers_of_the_exporter_are_sent(workspace: SkillWorkspace, receiver: Any) -> None:
    environment = {"OTEL_EXPORTER_OTLP_HEADERS": "x-key=abc", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=ci"}
    workspace.run("build", "brew", "--report", f"otel={receiver.url}", environment=environment)
    assert {name.lower(): value for name, value in receiver.requests[0][1].items()}["x-key"] == "abc"
    assert receiver.resources()[0]["deployment.environment"] == "ci"


def test_an_endpoint_that_says_no_is_a_warning_and_no_verdict(workspace: SkillWorkspace, receiver: Any) -> None:
    receiver.status = 400
    finished = workspace.run("build", "brew", "--json", "--report", f"otel={receiver.url}")
    assert (finished.status, finished.document["exit_code"]) == (0, 0)
    assert "warning: the report otel was not sent: 127.0.0.1 did not take the spans" in finished.stderr


def test_an_endpoint_that_is_down_is_a_warning_and_no_verdict(workspace: SkillWorkspace) -> None:
    with socket.socket() as unused:  # bound and not listening: nobody else gets the port, and nobody answers there
        unused.bind(("127.0.0.1", 0))
        url = f"http://user:pass@127.0.0.1:{unused.getsockname()[1]}"
        finished = workspace.run("build", "brew", "--json", "--report", f"otel={url}")
    assert (finished.status, finished.document["exit_code"]) == (0, 0)
    assert "warning: the report otel was not sent: 127.0.0.1 did not take the spans" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_under_locked_there_is_no_such_format(workspace: SkillWorkspace, receiver: Any) -> None:
    finished = workspace.run("build", "brew", "--locked", "--report", f"otel={receiver.url}")
    assert finished.status == 2
    assert "there is no report format 'otel'" in finished.stderr
    assert receiver.requests == []


def test_a_format_that_is_only_written_is_sent_nowhere(workspace: SkillWorkspace, receiver: Any) -> None:
    finished = workspace.run("build", "brew", "--report", f"json={receiver.url}")
    assert finished.status == 2
    assert "the report 'json' is written, not sent" in finished.stderr
    assert receiver.requests == []
