"""The event stream of Gemini CLI (`--output-format stream-json`) as a reply. Everything here is pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from selftune_build.agents.hosts import Stream, Tools, Use, closing_program, refusal, replied
from selftune_build.agents.protocol import AgentFailure
from selftune_build.model.sample import ErrorKind, Reply, Usage

_TOOLS = Tools(
    activate={"activate_skill": "name"},
    read={"read_file": "file_path"},
    write={"write_file": "file_path", "replace": "file_path"},
    shell={"run_shell_command": "command"},
)
_ENDS_WITHOUT_ERROR = ("FatalTurnLimitedError",)
"""A run that used up its turns is an answer about the skill, although the program calls it an error."""
_STATUSES = {status % 256: status for status in (401, 403, 429)}
"""By exit status, which is that of the service as far as a byte holds it; the message often leaves it out."""
_NO_LOGIN = 41
"""The exit status where no login was found."""


def reply(stream: Stream) -> Reply:
    """The reply. Raises AgentFailure where the stream has no result, or the result is an error of the service."""
    result = stream.last("result")
    if result is None:
        raise _no_result(stream)
    error = result.get("error") or {}
    if result.get("status") != "success" and error.get("type") not in _ENDS_WITHOUT_ERROR:
        said = error or stream.last("error") or {}
        raise refusal(str(said.get("message") or "its result does not say how it ended"), _STATUSES.get(_exit_status(stream)))
    return replied(
        stream,
        _uses(stream),
        _TOOLS,
        output=_output(stream),
        usage=usage(stream),
        model=_served(result),
        program=closing_program(stream, "gemini"),
    )


def usage(stream: Stream) -> Usage | None:
    """The sums of the result; what a model thought is in the total alone, and counts as output. Costs it does not tell."""
    result = stream.last("result")
    counts = None if result is None else result.get("stats")
    if not isinstance(counts, dict):
        return None
    given = int(counts.get("input_tokens") or 0)
    said = max(int(counts.get("output_tokens") or 0), int(counts.get("total_tokens") or 0) - given)
    return Usage(given, said, unpriced=True)


def _no_result(stream: Stream) -> AgentFailure:
    if _exit_status(stream) == _NO_LOGIN:
        return AgentFailure(ErrorKind.AUTH, "the program found no login: set GEMINI_API_KEY, or log in with `gemini`")
    return AgentFailure(ErrorKind.PROTOCOL, "the event stream has no result: the program ended before it was done")


def _exit_status(stream: Stream) -> int:
    return int((stream.closing or {}).get("exit_status") or 0)


def _uses(stream: Stream) -> Iterator[Use]:
    results = {event.get("tool_id"): event for event in stream.events if event.get("type") == "tool_result"}
    for event in stream.events:
        if event.get("type") == "tool_use":
            result = results.get(event["tool_id"])
            text = None if result is None else str(result.get("output") or "")
            error = result is not None and result.get("status") != "success"
            yield Use(str(event["tool_name"]), dict(event.get("parameters") or {}), text, error)


def _output(stream: Stream) -> str:
    """The last words: what the model said in one piece, between two calls of tools."""
    said = [""]
    for event in stream.events:
        if event.get("type") == "message" and event.get("role") == "assistant":
            said[-1] += str(event.get("content") or "")
        elif said[-1]:
            said.append("")
    return next((words for words in reversed(said) if words), "")


def _served(result: dict[str, Any]) -> str | None:
    """The model that answered, as the service named it; all of them where the program chose by asking another one."""
    return ", ".join(sorted((result.get("stats") or {}).get("models") or ())) or None
