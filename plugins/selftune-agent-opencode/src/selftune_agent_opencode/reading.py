"""The event stream of opencode (`run --format json`) as a reply. Everything here is pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from selftune_build.agents.hosts import Stream, Tools, Use, closing_program, refusal, refused_request, replied, seconds
from selftune_build.agents.protocol import AgentFailure
from selftune_build.model.sample import ErrorKind, Reply, Usage

_TOOLS = Tools(
    activate={"skill": "name"},
    read={"read": "filePath"},
    write={"write": "filePath", "edit": "filePath"},
    shell={"bash": "command"},
)
_CUT = "selftune.cut"
"""What the plugin in the program tells, before it ends it, of a stream that broke off."""
_GOES_ON = "tool-calls"
_NO_END = ("error", "unknown")
"""How a step finished that the model had not brought to an end."""


def reply(stream: Stream) -> Reply:
    """The reply. Raises AgentFailure where the service refused or broke off, or the last step has no end."""
    failure = refused_request(stream) or _failure(stream)
    if failure is not None:
        raise failure
    steps = list(_parts(stream, "step_finish"))
    if not steps or steps[-1]["reason"] == _GOES_ON:
        raise AgentFailure(ErrorKind.PROTOCOL, "the event stream has no end: the program stopped before it was done")
    if steps[-1]["reason"] in _NO_END:
        raise _cut()
    return replied(
        stream,
        _uses(stream),
        _TOOLS,
        output=_output(stream),
        usage=usage(stream),
        program=closing_program(stream, "opencode"),
    )


def usage(stream: Stream) -> Usage | None:
    """The sums over all steps; tokens that went through a cache count as input. A cost of nothing: it knows no price."""
    steps = [step for step in _parts(stream, "step_finish") if isinstance(step.get("tokens"), dict)]
    if not steps:
        return None
    counts = [{**(step["tokens"].get("cache") or {}), **step["tokens"]} for step in steps]
    given = sum(int(each.get(name) or 0) for each in counts for name in ("input", "read", "write"))
    said = sum(int(each.get(name) or 0) for each in counts for name in ("output", "reasoning"))
    cost = sum((Decimal(str(step.get("cost") or 0)) for step in steps), Decimal())
    return Usage(given, said, f"{cost:f}", unpriced=not cost, turns=len(steps))


def _failure(stream: Stream) -> AgentFailure | None:
    told = stream.last("error", _CUT)
    if told is None or told["type"] == _CUT:
        return None if told is None else _cut()
    error = told.get("error") or {}
    data = error.get("data") or {}
    message = str(data.get("message") or error.get("name") or "it does not say what went wrong")
    return refusal(message, data.get("statusCode"), seconds((data.get("responseHeaders") or {}).get("retry-after")))


def _cut() -> AgentFailure:
    return AgentFailure(ErrorKind.REPORTED, "the stream of the model was cut: its answer has no end")


def _parts(stream: Stream, kind: str) -> Iterator[dict[str, Any]]:
    return (event["part"] for event in stream.events if event.get("type") == kind)


def _uses(stream: Stream) -> Iterator[Use]:
    """A command that left with another status than 0 is one that failed, although the program calls it completed."""
    for part in _parts(stream, "tool_use"):
        state = part["state"]
        failed = state.get("status") != "completed" or bool((state.get("metadata") or {}).get("exit"))
        yield Use(str(part["tool"]), dict(state.get("input") or {}), str(state.get("output") or state.get("error") or ""), failed)


def _output(stream: Stream) -> str:
    """The last words: all that the last message which has any says."""
    said: dict[str, str] = {}
    for part in _parts(stream, "text"):
        said[part["messageID"]] = said.get(part["messageID"], "") + str(part.get("text") or "")
    return next((text for text in reversed(said.values()) if text), "")
