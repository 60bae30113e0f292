"""The process in which a model acts: one job on stdin, events on stdout (`python -m selftune_agent_openai.worker`)."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from selftune_agent_openai import chat, dialogue, scripts, tools, workspace
from selftune_agent_openai.events import Answered, End, Event, Failed, Opening, Role, Used
from selftune_agent_openai.service import Service, Unanswered, program
from selftune_build.agents.hosts.login import masked
from selftune_build.agents.hosts.stream import line
from selftune_build.model.package import SKILL_FILE
from selftune_build.model.sample import ErrorKind

CALLS = 32
"""Calls of tools in one answer that are carried out."""
_NO_SCHEMA_STATUS = (400, 404, 415, 422, 501)
"""How services refuse a request that states a schema."""


class Job(Struct, frozen=True):
    """One call."""

    role: Role
    model: str
    prompt: str
    base_url: str
    home: str
    workspace: str
    key: str | None = None
    secrets: tuple[str, ...] = ()
    """What must not be in an answer."""
    request: dict[str, Any] = {}
    skills: dict[str, str] = {}
    """Descriptions by name."""
    schema: dict[str, Any] | None = None
    json_schema: bool = True
    max_turns: int = 1
    token_limit: int | None = None
    sample: int = 0
    allow_exec: bool = True
    confined: bool = True
    passed: tuple[str, ...] = ()


Emit = Callable[[Event], None]


class Stopped(Exception):
    """There is no answer, and what was written says why."""


def main() -> None:
    """Do the job; what anybody else prints goes to stderr."""
    out = os.dup(1)
    os.dup2(2, 1)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    secrets = tuple(secret.encode() for secret in job.secrets)

    def emit(event: Event) -> None:
        content = masked(line(event), secrets)
        while content:
            content = content[os.write(out, content) :]

    emit(Opening(job.role, tuple(job.skills), job.schema))
    try:
        _answer(job, emit)
        emit(End(program()))
    except Unanswered as error:
        emit(Failed(error.kind.value, str(error)))
    except Stopped:
        pass


def _answer(job: Job, emit: Emit) -> None:
    seed = job.request.get("seed")
    request = {**job.request, "seed": seed + job.sample} if type(seed) is int else job.request
    with Service(job.base_url, job.key, {**request, "model": job.model}) as service:
        (_complete if job.role == "complete" else _run)(job, service, emit)


def _complete(job: Job, service: Service, emit: Emit) -> None:
    system = {"role": "system", "content": dialogue.COMPLETE_RULES}
    if job.schema is None:
        emit(service.ask([system, {"role": "user", "content": job.prompt}]))
        return
    messages = [system, {"role": "user", "content": dialogue.with_schema(job.prompt, job.schema)}]
    if job.json_schema:
        form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": job.schema}}
        answered = service.ask(messages, response_format=form)
        emit(answered)
        if answered.status not in _NO_SCHEMA_STATUS:
            return
    emit(msgspec.structs.replace(service.ask(messages), by_prompt=True))


def _run(job: Job, service: Service, emit: Emit) -> None:
    """Turns until the model calls no tool, or a limit is reached: both are answers."""
    offered = tools.offered(job.role, job.skills)
    fields = {"tools": offered} if offered else {}
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": dialogue.rules(job.skills)},
        {"role": "user", "content": job.prompt},
    ]
    used = 0
    for _ in range(1 if job.role == "routing" else job.max_turns):
        answer = _asked(service, messages, fields, emit)
        if not answer.calls or job.role == "routing":
            return
        messages.append(answer.said())
        for number, call in enumerate(answer.calls):
            result = _use(job, call) if number < CALLS else Used("failed", f"Not carried out: at most {CALLS} calls at once.")
            emit(result)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result.text})
        used += answer.input_tokens + answer.output_tokens
        if job.token_limit is not None and _spent(used, answer) >= job.token_limit:
            return


def _asked(service: Service, messages: list[dict[str, Any]], fields: dict[str, Any], emit: Emit) -> chat.Answer:
    """One turn, written down before anybody looks into it."""
    answered: Answered = service.ask(messages, **fields)
    emit(answered)
    if answered.status != 200:
        raise Stopped
    try:
        return chat.read(answered.body)
    except chat.Malformed:
        raise Stopped from None


def _spent(used: int, answer: chat.Answer) -> int:
    if not answer.counted:
        raise Unanswered(ErrorKind.PROTOCOL, "the service tells no tokens, so `token_limit` cannot be kept: take it out")
    return used


def _use(job: Job, call: chat.Call) -> Used:
    """Carry out one call."""
    try:
        given = tools.fitting(call.tool, call.arguments, call.written, job.role, job.skills)
    except tools.Misfit as problem:
        return Used("failed", str(problem))
    root = Path(job.workspace)
    if call.tool == tools.ACTIVATE:
        return _activate(root, given["name"], job.skills)
    if call.tool == tools.READ:
        return workspace.read_file(root, given["path"])
    if call.tool == tools.LIST:
        return workspace.list_folder(root, given["path"])
    if call.tool == tools.WRITE:
        return workspace.write_file(root, given["path"], given["content"])
    return _run_script(job, root, given["path"], given.get("arguments", []))


def _activate(root: Path, name: str, skills: dict[str, str]) -> Used:
    if name not in skills:
        return Used("absent", f"There is no skill {name[:80]!a}: there are {', '.join(skills)}.")
    found = workspace.read_file(root, f"{dialogue.folder_of(name)}/{SKILL_FILE}")
    if found.outcome != "done":
        return found
    return msgspec.structs.replace(found, text=dialogue.activated(name, found.text))


def _run_script(job: Job, root: Path, asked: str, arguments: list[str]) -> Used:
    found = workspace.find(root, asked)
    if found is None or not any(found.relative.startswith(f"{dialogue.folder_of(name)}/") for name in job.skills):
        return Used("refused", f"{asked} is no file of a skill: only scripts of skills can be run.")
    if not found.path.is_file():
        return Used("absent", f"There is no file at {asked}.")
    if not job.allow_exec:
        raise Unanswered(ErrorKind.UNAVAILABLE, f"the model calls for {asked}, and --no-exec refuses to run scripts")
    where = scripts.Surroundings(root, Path(job.home), job.passed, job.confined)
    try:
        ran = scripts.run(found.path, arguments, where)
    except scripts.Missing as problem:
        raise Unanswered(ErrorKind.UNAVAILABLE, str(problem)) from None
    if ran is None:
        return Used("failed", f"{asked} is no script that can be run here.")
    return Used("done", ran.text, network=ran.network)


if __name__ == "__main__":
    main()
