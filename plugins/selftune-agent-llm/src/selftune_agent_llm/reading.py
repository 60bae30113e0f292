"""The worker's events as a reply. Everything here is pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from selftune_agent_llm.dialogue import OffSchema, decision, step, value
from selftune_agent_llm.events import Asking, End, Event, Failed, Opening, Turn, events
from selftune_build.agents.protocol import SKILLS_FOLDER, AgentFailure
from selftune_build.model.sample import ErrorKind, Reply, ToolCall, Usage

CHOOSING, READING = "skill", "read_file"
"""The two things it can do, under the names that say what they are: neither of them runs or writes anything."""
REFUSED_CHARACTERS = 200


def reply(raw: bytes) -> Reply:
    """The reply. Raises AgentFailure where there is none, or where the model answered something else than it was asked."""
    opening, rest = _opened(raw)
    for failed in (each for each in rest if isinstance(each, Failed)):
        raise AgentFailure(_kind(failed.kind), failed.message, retry_after_s=failed.retry_after_s)
    try:
        return _reply(opening, rest)
    except OffSchema as error:
        raise AgentFailure(ErrorKind.PROTOCOL, str(error)) from None


def billed(raw: bytes) -> Usage | None:
    """What the turns cost, as far as the library told; None without any."""
    try:
        turns = _turns(events(raw))
        return usage(turns) if turns else None
    except (msgspec.MsgspecError, UnicodeDecodeError, InvalidOperation):
        return None


def usage(turns: Iterable[Turn]) -> Usage:
    """The sum over turns. A library that knows no price says 0."""
    cost, read, written, count = Decimal(0), 0, 0, 0
    for turn in turns:
        cost, read, written = cost + Decimal(turn.cost_usd), read + turn.input_tokens, written + turn.output_tokens
        count += 1
    return Usage(read, written, f"{cost:f}", unpriced=cost == 0, turns=count)


def _opened(raw: bytes) -> tuple[Opening, tuple[Event, ...]]:
    try:
        found = events(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise AgentFailure(ErrorKind.PROTOCOL, f"the answer is none of the worker's: {error}") from None
    if not found or not isinstance(found[0], Opening):
        raise AgentFailure(ErrorKind.PROTOCOL, "the answer does not begin as the worker's do")
    return found[0], found[1:]


def _kind(name: str) -> ErrorKind:
    return ErrorKind(name) if name in set(ErrorKind) else ErrorKind.REPORTED


def _turns(found: Iterable[Event]) -> list[Turn]:
    return [each for each in found if isinstance(each, Turn)]


def _reply(opening: Opening, rest: tuple[Event, ...]) -> Reply:
    turns = _turns(rest)
    output = ""
    for turn in turns:
        output = _said(turn, opening)
    end = rest[-1] if rest else None
    if not isinstance(end, End):
        raise AgentFailure(ErrorKind.PROTOCOL, "the worker ended before it was done")
    used = [name for turn in turns if turn.asked == "decision" and (name := decision(turn.text, opening.skills)) is not None]
    files = [each for each in rest if isinstance(each, Asking)]
    return Reply(
        output=output,
        skills_used=tuple(used),
        files_read=tuple(dict.fromkeys(_path(each) for each in files if each.found == "read")),
        tool_calls=(*(ToolCall(CHOOSING, {"skill": name}) for name in used), *map(_call, files)),
        usage=usage(turns),
        model=next((turn.model for turn in reversed(turns) if turn.model), None),
        program=end.program,
        refused=tuple(_refusal(each) for each in files if each.found == "refused"),
    )


def _said(turn: Turn, opening: Opening) -> str:
    """What a turn adds to the answer; the last one stands. Raises OffSchema where it is not what was asked."""
    if turn.asked == "decision":
        decision(turn.text, opening.skills)
        return turn.text
    if turn.asked == "step":
        return step(turn.text).text
    if turn.asked == "document":
        _check(turn.text, opening.schema or {})
    return turn.text


def _check(text: str, schema: dict[str, Any]) -> None:
    """Nothing for a document that matches. Nothing outside of the schema is ever looked up."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    document = value(text)
    try:
        Draft202012Validator.check_schema(schema)
        valid = Draft202012Validator(schema, registry=Registry()).is_valid(document)
    except (SchemaError, Unresolvable, RecursionError) as error:
        raise AgentFailure(ErrorKind.PROTOCOL, f"the schema of the request cannot be used: {error}") from None
    if not valid:
        raise OffSchema(text)


def _path(asking: Asking) -> str:
    """As seen from the workspace; one that was refused as the model wrote it."""
    return asking.path if asking.found == "refused" else f"{SKILLS_FOLDER}/{asking.skill}/{asking.path}"


def _call(asking: Asking) -> ToolCall:
    return ToolCall(READING, {"path": _path(asking)})


def _refusal(asking: Asking) -> str:
    return f"{READING}: {' '.join(asking.path.split())[:REFUSED_CHARACTERS]}: not a file of {asking.skill}"
