"""The worker's events as a reply. Everything here is pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec
from msgspec import Struct

from selftune_agent_openai import chat, dialogue, tools
from selftune_agent_openai.events import Answered, End, Event, Failed, Opening, Used, events
from selftune_agent_openai.options import Prices
from selftune_build.agents.hosts import refusals_in
from selftune_build.agents.hosts.stream import bounded
from selftune_build.agents.protocol import AgentFailure
from selftune_build.model.package import SKILL_FILE
from selftune_build.model.sample import ErrorKind, Reply, ToolCall, Usage
from selftune_build.reading.answer import InvalidAnswer, structured

_KINDS = {401: ErrorKind.AUTH, 403: ErrorKind.AUTH, 404: ErrorKind.UNAVAILABLE, 429: ErrorKind.RATE_LIMIT}
_BY_PROMPT = ", schema by the prompt alone"


class _Run(Struct, frozen=True):
    """An answer of the worker taken apart: what the model said, and what came of its calls."""

    opening: Opening
    answers: tuple[chat.Answer, ...]
    uses: tuple[tuple[chat.Call, Used], ...]
    program: str

    @property
    def calls(self) -> Iterator[chat.Call]:
        """All calls, whether carried out or not."""
        return (call for answer in self.answers for call in answer.calls)


def reply(raw: bytes, prices: Prices | None = None) -> Reply:
    """The reply. Raises AgentFailure where there is none."""
    run = _run(_opened(raw))
    output = run.answers[-1].text if run.answers else ""
    if run.opening.schema is not None:
        try:
            structured(output, run.opening.schema)
        except InvalidAnswer as problem:
            raise AgentFailure(ErrorKind.PROTOCOL, f"the model answered off-schema: {problem}") from None
    return Reply(
        output=output,
        skills_used=tuple(dict.fromkeys(_activated(run))),
        files_read=tuple(dict.fromkeys(used.path for _, used in run.uses if used.path is not None)),
        tool_calls=tuple(_tool_call(call) for call in run.calls),
        usage=usage(run.answers, prices),
        model=next((answer.model for answer in reversed(run.answers) if answer.model), None),
        program=run.program,
        refused=bounded(_refused(run)),
    )


def billed(raw: bytes, prices: Prices | None = None) -> Usage | None:
    """What the answers cost, also where they led to none; None without any."""
    try:
        found = tuple(_readable(events(raw)))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return usage(found, prices) if found else None


def usage(answers: Iterable[chat.Answer], prices: Prices | None) -> Usage:
    """The sum over answers. A cost that is not known of each of them is not known."""
    found = tuple(answers)
    costs = [_cost(answer, prices) for answer in found]
    known = [cost for cost in costs if cost is not None]
    return Usage(
        sum(answer.input_tokens for answer in found),
        sum(answer.output_tokens for answer in found),
        _plain(sum(known, Decimal(0))),
        unpriced=len(known) < len(costs),
        turns=len(found),
    )


def _cost(answer: chat.Answer, prices: Prices | None) -> Decimal | None:
    """By the prices that the manifest states, else as the service tells it; never a guess."""
    if prices is None:
        return answer.cost_usd
    return prices.cost(answer.input_tokens, answer.cached_tokens, answer.output_tokens) if answer.counted else None


def _plain(amount: Decimal) -> str:
    text = f"{amount:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def _opened(raw: bytes) -> tuple[Event, ...]:
    try:
        found = events(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise AgentFailure(ErrorKind.PROTOCOL, f"the answer is none of the worker's: {error}") from None
    if not found or not isinstance(found[0], Opening):
        raise AgentFailure(ErrorKind.PROTOCOL, "the answer does not begin as the worker's do")
    return found


def _run(found: tuple[Event, ...]) -> _Run:
    answered = [each for each in found if isinstance(each, Answered)]
    last = found[-1]
    if isinstance(last, Failed):
        raise AgentFailure(_kind(last.kind), last.message)
    if answered and answered[-1].status != 200:
        raise _refusal_of(answered[-1])
    try:
        answers = tuple(chat.read(each.body) for each in answered if each.status == 200)
    except chat.Malformed as problem:
        raise AgentFailure(ErrorKind.PROTOCOL, str(problem)) from None
    if not isinstance(last, End) or not isinstance(found[0], Opening) or not answers:
        raise AgentFailure(ErrorKind.PROTOCOL, "the worker ended before it was done")
    calls = (call for answer in answers for call in answer.calls)
    uses = tuple(zip(calls, (each for each in found if isinstance(each, Used)), strict=False))
    program = last.program + (_BY_PROMPT if answered[-1].by_prompt else "") + _network(uses)
    return _Run(found[0], answers, uses, program)


def _refusal_of(answered: Answered) -> AgentFailure:
    kind = _KINDS.get(answered.status, ErrorKind.REPORTED)
    message = f"the service answers {answered.status}: {chat.complaint(answered.body)}"
    return AgentFailure(kind, message, retry_after_s=answered.retry_after_s)


def _kind(name: str) -> ErrorKind:
    return ErrorKind(name) if name in set(ErrorKind) else ErrorKind.REPORTED


def _readable(found: Iterable[Event]) -> Iterator[chat.Answer]:
    for each in found:
        if isinstance(each, Answered) and each.status == 200:
            try:
                yield chat.read(each.body)
            except chat.Malformed:
                continue


def _network(uses: Iterable[tuple[chat.Call, Used]]) -> str:
    """What scripts could reach, where that was anything."""
    left = sorted({used.network for _, used in uses if used.network not in (None, "", "none")})
    return f", scripts with network: {left[0]}" if left else ""


def _activated(run: _Run) -> Iterator[str]:
    """The skills whose text the model asked for by name, or read; under `routing` the call alone is the decision."""
    if run.opening.role == "routing":
        yield from (name for call in run.calls if (name := _named(call)) in run.opening.skills)
    for call, used in run.uses:
        if call.tool == tools.ACTIVATE and used.outcome == "done":
            yield _named(call)
        yield from (name for name in run.opening.skills if used.path == f"{dialogue.folder_of(name)}/{SKILL_FILE}")


def _named(call: chat.Call) -> str:
    return str((call.arguments or {}).get("name", "")) if call.tool == tools.ACTIVATE else ""


def _tool_call(call: chat.Call) -> ToolCall:
    """What the model wrote, also where that is no JSON object."""
    return ToolCall(call.tool, call.arguments if call.arguments is not None else {"arguments": call.written})


def _refused(run: _Run) -> Iterator[str]:
    for call, used in run.uses:
        if used.outcome == "refused":
            yield f"{call.tool}: {(call.arguments or {}).get('path', '')}: not permitted"
        if call.tool == tools.RUN and used.outcome == "done":
            yield from refusals_in(call.tool, used.text)
