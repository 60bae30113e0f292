"""The event stream of Claude Code (`--output-format stream-json`) as a reply. Everything here is pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from selftune_build.agents.hosts import Stream, Tools, Use, activated, bounded, calls_of, files_read, last_words, refused, uses_of
from selftune_build.agents.protocol import AgentFailure
from selftune_build.model.sample import ErrorKind, Reply, Usage

_KINDS = {401: ErrorKind.AUTH, 403: ErrorKind.AUTH, 429: ErrorKind.RATE_LIMIT}
_AUTH_ERRORS = ("authentication_failed", "billing_error", "oauth_org_not_allowed")
_TOOLS = Tools(
    activate={"Skill": "skill"},
    read={"Read": "file_path", "NotebookRead": "file_path"},
    shell={"Bash": "command"},
)
_ENDS_WITHOUT_ERROR = ("error_max_turns",)
"""A run that used up its turns is an answer about the skill, although the program calls it an error."""


def reply(stream: Stream) -> Reply:
    """The reply. Raises AgentFailure where the stream has no result, or the result is an error of the service."""
    result = stream.last("result")
    if result is None:
        raise AgentFailure(ErrorKind.PROTOCOL, "the event stream has no result: the program ended before it was done")
    if result.get("subtype") not in _ENDS_WITHOUT_ERROR:
        if result.get("is_error") or result.get("subtype") != "success":
            raise _failure(result, stream)
        if result.get("stop_reason") is None:
            raise AgentFailure(ErrorKind.REPORTED, "the stream of the model was cut: its answer has no end")
    uses = list(uses_of(stream))
    return Reply(
        output=_output(result, stream),
        skills_used=activated(stream.opening, uses, _TOOLS),
        files_read=files_read(stream.opening, uses, _TOOLS),
        tool_calls=calls_of(uses),
        usage=usage(stream),
        model=_served(stream),
        program=_program(stream),
        refused=bounded(_refused(stream, uses, result)),
    )


def usage(stream: Stream) -> Usage | None:
    """The sums of the result; tokens that went through a cache count as input."""
    result = stream.last("result")
    if result is None or not isinstance(result.get("usage"), dict):
        return None
    counts = result["usage"]
    read = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    cost, turns = result.get("total_cost_usd"), result.get("num_turns")
    return Usage(
        sum(int(counts.get(name) or 0) for name in read),
        int(counts.get("output_tokens") or 0),
        f"{Decimal(str(cost or 0)):f}",
        unpriced=cost is None,
        turns=turns if isinstance(turns, int) else None,
    )


def waiting(stream: Stream) -> AgentFailure | None:
    """The refusal whose pause it was still keeping when its time was up."""
    last = stream.events[-1] if stream.events else {}
    if last.get("subtype") != "api_retry":
        return None
    status = int(last.get("error_status") or 0)
    return AgentFailure(_KINDS.get(status, ErrorKind.REPORTED), f"the service answers {status}", retry_after_s=_pause(stream))


def _failure(result: dict[str, Any], stream: Stream) -> AgentFailure:
    said = stream.last("assistant") or {}
    kind = _KINDS.get(result.get("api_error_status") or 0, ErrorKind.REPORTED)
    if said.get("error") in _AUTH_ERRORS:
        kind = ErrorKind.AUTH
    elif said.get("error") == "rate_limit":
        kind = ErrorKind.RATE_LIMIT
    errors = "; ".join(map(str, result.get("errors") or ()))
    text = " ".join(
        str(result.get("result") or errors or result.get("subtype") or "its result does not say how it ended").split()
    )
    return AgentFailure(kind, text[:500], retry_after_s=_pause(stream) if kind is ErrorKind.RATE_LIMIT else None)


def _pause(stream: Stream) -> float | None:
    """The pause the service asked for, as the program kept it before its own retry."""
    delays = [event.get("retry_delay_ms") for event in stream.events if event.get("subtype") == "api_retry"]
    delay = delays[-1] if delays else None
    return delay / 1000 if isinstance(delay, int | float) else None


def _refused(stream: Stream, uses: list[Use], result: dict[str, Any]) -> Iterator[str]:
    for denial in result.get("permission_denials") or ():
        asked = denial.get("tool_input") or {}
        what = asked.get("file_path") or asked.get("notebook_path") or asked.get("command") or json.dumps(asked, sort_keys=True)
        yield f"{denial.get('tool_name')}: {what}: not permitted"
    yield from refused(stream.opening, uses, _TOOLS)


def _output(result: dict[str, Any], stream: Stream) -> str:
    """The answer: a document where one was asked for, else the last words."""
    if result.get("structured_output") is not None:
        return json.dumps(result["structured_output"], ensure_ascii=False)
    if isinstance(result.get("result"), str):
        return str(result["result"])
    return last_words(stream)


def _served(stream: Stream) -> str | None:
    messages = [event.get("message") or {} for event in stream.events if event.get("type") == "assistant"]
    names = [str(message["model"]) for message in messages if message.get("model") not in (None, "<synthetic>")]
    return names[-1] if names else None


def _program(stream: Stream) -> str | None:
    start = next((event for event in stream.events if event.get("subtype") == "init"), {})
    version = start.get("claude_code_version")
    return f"claude {version}" if version else None
