"""The event stream of Qwen Code (`--output-format stream-json`) as a reply. Everything here is pure."""

from __future__ import annotations

import json
import re
from typing import Any

from selftune_build.agents.hosts import Stream, Tools, last_words, refusal, refused_request, replied, uses_of
from selftune_build.agents.protocol import AgentFailure
from selftune_build.model.sample import ErrorKind, Reply, Usage

_TOOLS = Tools(
    activate={"skill": "skill"},
    read={"read_file": "file_path"},
    write={"write_file": "file_path", "edit": "file_path"},
    shell={"run_shell_command": "command"},
)
_TURNS_USED_UP = 53
"""The exit status of a run that used up its turns: it has no result, and is an answer about the skill."""
_ERROR = re.compile(r"\[API Error: (.*?)\](?:\s*Possible quota limitations[^\n]*)?\s*\Z", re.DOTALL)
"""How the program words an error of the service; 0.15 ends the words of a model so and calls the result a success."""


def reply(stream: Stream) -> Reply:
    """The reply. Raises AgentFailure where the stream has no result, or the result is an error of the service."""
    failure = refused_request(stream) or _failure(stream)
    if failure is not None:
        raise failure
    result = stream.last("result") or {}
    return replied(
        stream,
        uses_of(stream),
        _TOOLS,
        output=_output(result, stream),
        usage=usage(stream),
        program=_program(stream),
    )


def usage(stream: Stream) -> Usage | None:
    """The sums of the result, which count tokens from a cache as input; without one those over the messages. No cost is told."""
    counts = _counts(stream)
    if not counts:
        return None
    given, said = (sum(int(each.get(name) or 0) for each in counts) for name in ("input_tokens", "output_tokens"))
    turns = (stream.last("result") or {}).get("num_turns")
    return Usage(given, said, unpriced=True, turns=turns if isinstance(turns, int) else None)


def _counts(stream: Stream) -> list[dict[str, Any]]:
    result = stream.last("result")
    if result is not None:
        return [result["usage"]] if isinstance(result.get("usage"), dict) else []
    messages = [event.get("message") or {} for event in stream.events if event.get("type") == "assistant"]
    return [message["usage"] for message in messages if isinstance(message.get("usage"), dict)]


def _failure(stream: Stream) -> AgentFailure | None:
    result = stream.last("result")
    if result is None:
        if (stream.closing or {}).get("exit_status") == _TURNS_USED_UP:
            return None
        return AgentFailure(ErrorKind.PROTOCOL, "the event stream has no result: the program ended before it was done")
    if result.get("is_error") or result.get("subtype") != "success":
        message = str((result.get("error") or {}).get("message") or "its result does not say how it ended")
        told = _ERROR.search(message)
        return refusal(told[1] if told else message)
    told = _ERROR.search(str(result.get("result") or ""))
    return refusal(told[1]) if told and not _is_said(stream) else None


def _is_said(stream: Stream) -> bool:
    """Whether the last message is the model's own: what the program puts in its place costs nothing."""
    counts = ((stream.last("assistant") or {}).get("message") or {}).get("usage") or {}
    return bool(counts.get("output_tokens"))


def _output(result: dict[str, Any], stream: Stream) -> str:
    """The answer: a document where one was asked for, else the last words."""
    if result.get("structured_result") is not None:
        return json.dumps(result["structured_result"], ensure_ascii=False)
    return str(result["result"]) if isinstance(result.get("result"), str) else last_words(stream)


def _program(stream: Stream) -> str | None:
    start = next((event for event in stream.events if event.get("subtype") == "init"), {})
    version = start.get("qwen_code_version")
    return f"qwen {version}" if version else None
