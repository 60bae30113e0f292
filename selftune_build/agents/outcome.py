"""What the end of an agent's process means where it brought no answer."""

from __future__ import annotations

from collections.abc import Callable

from selftune_build.agents.protocol import AgentFailure
from selftune_build.limits import COMMAND_MESSAGE_CHARACTERS
from selftune_build.model.sample import ErrorKind, Reply
from selftune_build.process import Outcome


def failure_of(outcome: Outcome, timeout_s: int, cap: int) -> AgentFailure | None:
    """What an outcome means: only a status of 0 brings an answer."""
    if outcome.ended == "timeout":
        return AgentFailure(ErrorKind.TIMEOUT, with_stderr(f"no answer within {timeout_s} s", outcome.stderr))
    if outcome.ended == "flood":
        return AgentFailure(ErrorKind.FLOOD, f"more than {cap} bytes of output")
    if outcome.ended == "cancelled":
        return AgentFailure(ErrorKind.CRASH, "cancelled before it answered")
    if outcome.ended == "missing":
        return AgentFailure(ErrorKind.UNAVAILABLE, with_stderr("the program could not be started", outcome.stderr))
    if outcome.exit_status is None or outcome.exit_status < 0:
        return AgentFailure(ErrorKind.CRASH, with_stderr(f"ended by signal {-(outcome.exit_status or 0)}", outcome.stderr))
    if outcome.exit_status > 0:
        return AgentFailure(ErrorKind.CRASH, with_stderr(f"exit status {outcome.exit_status}", outcome.stderr))
    return None


def require_answer(parse: Callable[[bytes], Reply], raw: bytes, outcome: Outcome, timeout_s: int, cap: int) -> None:
    """Nothing where a process that ended by itself left an answer, whatever its status. Raises AgentFailure: what it says of
    itself, and where it says nothing that can be read, how it ended."""
    ended = failure_of(outcome, timeout_s, cap)
    if outcome.ended != "exit" and ended is not None:
        raise ended
    try:
        parse(raw)
    except AgentFailure as failure:
        raise (ended if ended and failure.kind is ErrorKind.PROTOCOL else failure) from None


def with_stderr(message: str, stderr: bytes) -> str:
    """The message and the last lines of stderr, on one line, without control characters."""
    text = " ".join(stderr[-COMMAND_MESSAGE_CHARACTERS:].decode("utf-8", "replace").split())
    printable = "".join(character if character.isprintable() else "?" for character in text)
    return f"{message}: {printable}" if printable else message
