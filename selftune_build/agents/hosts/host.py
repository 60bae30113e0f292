"""An agent around a host program: everything but what differs from host to host, which a `Host` states."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from selftune_build.agents.command import origin_of
from selftune_build.agents.hosts import confine
from selftune_build.agents.hosts.login import Given, Login, given, masked, rewritten, written
from selftune_build.agents.hosts.program import Program
from selftune_build.agents.hosts.stream import CLOSING, Opening, Stream, line, opening_of, parse_stream, without
from selftune_build.agents.hosts.sweep import sweep
from selftune_build.agents.outcome import require_answer
from selftune_build.agents.protocol import (
    AgentFailure,
    AgentSettings,
    AgentType,
    CompleteRequest,
    Diagnosis,
    RunRequest,
    Traits,
)
from selftune_build.agents.staging import Staging
from selftune_build.environment import child_environment
from selftune_build.errors import InputError
from selftune_build.limits import RESPONSE_BYTES
from selftune_build.model.case import Profile
from selftune_build.model.manifest import AgentDefinition
from selftune_build.model.sample import ErrorKind, EvidenceOrigin, Reply, Usage
from selftune_build.process import Outcome, run
from selftune_build.store.atomic import write_all

UNCONFINED = "SELFTUNE_UNCONFINED"
"""Set by somebody whose whole machine is a sandbox already: hosts then run without the kernel's confinement."""


def unconfined() -> bool:
    """Whether somebody said so."""
    return os.environ.get(UNCONFINED) == "1"


def hindrance(name: str) -> str | None:
    """Why this system cannot run a host safely, and what to do about it; None where it can."""
    if unconfined() or confine.supported():
        return None
    return (
        f"this system cannot keep {name} from writing outside its workspace (Linux 5.13 with Landlock can): "
        f"run it in a container of its own and set {UNCONFINED}=1 there"
    )


class Session(Struct, frozen=True):
    """One call of a host program."""

    prompt: str
    model: str | None
    home: Path
    workspace: Path
    profile: Profile | None
    """None for the role `complete`."""
    max_turns: int
    login: Given
    schema: dict[str, Any] | None = None


class Invocation(Struct, frozen=True):
    """How to start the program: its arguments, what is added to its environment, what it reads on stdin."""

    arguments: tuple[str, ...]
    environment: dict[str, str] = {}
    stdin: bytes = b""


class Host(Struct, frozen=True):
    """What differs from host to host. Everything that reads a stream is pure."""

    id: str
    cache_version: str
    program: Program
    login: Login
    skills_folder: str
    profiles: dict[str, list[str]]
    """The tools that the model may use, by profile."""
    invocation: Callable[[Session], Invocation]
    """May write settings into the session's home."""
    reply: Callable[[Stream], Reply]
    """Raises AgentFailure where the stream holds no answer."""
    usage: Callable[[Stream], Usage | None]
    invoked: Callable[[str, Iterable[str]], tuple[str, ...]]
    """The skills, of these names, that a prompt calls by the host's own sign."""
    closing: Callable[[Path], dict[str, Any]] = lambda home: {}
    """What the host left in its home that its stream does not tell."""
    waiting: Callable[[Stream], AgentFailure | None] = lambda stream: None
    """Why the host was still waiting when its time was up, where it was not the model it waited for."""
    repeated: bytes = b""
    """How the lines begin that only repeat what others tell, in hosts that have such: they are not kept."""
    shows_listing: bool = False
    """The host shows the file names of a skill when it activates it."""
    system_prompt: str | None = None
    """Digest of a system prompt of ours, where there is one."""


class HostAgent:
    """`agents.protocol.Agent` for a host program. Raises InputError for settings that do not fit one."""

    def __init__(self, host: Host, settings: AgentSettings) -> None:
        definition = settings.definition or AgentDefinition(type=host.id)
        if definition.argv:
            hint = f"take `argv` out; the program is the `{host.program.name}` that PATH finds"
            raise InputError(f"the agent `{settings.name}` is of type {host.id}, which has no argv of its own", hint=hint)
        self.host = host
        self.name = settings.name
        self._passed = definition.env
        self.identity: dict[str, Any] = _identity(host, definition, settings.model)
        self.traits = Traits(
            origin=EvidenceOrigin.LIVE if definition.origin is None else origin_of(definition),
            deterministic=definition.deterministic,
            free=definition.free,
            completes=True,
            shows_listing=host.shows_listing,
            skills_folder=host.skills_folder,
        )

    def run(self, request: RunRequest, answer: BinaryIO) -> None:
        """Write the opening and the host's stream; see `agents.protocol.Agent`."""
        if not request.allow_exec and request.profile == "package":
            raise AgentFailure(ErrorKind.UNAVAILABLE, f"the agent `{self.name}` runs commands, and --no-exec refuses that")
        workspace = request.workspace
        opening = opening_of(request, self.host.invoked)
        with given(self.host.login, workspace.home) as login:
            session = Session(
                request.prompt, request.model, workspace.home, workspace.root, request.profile, request.max_turns, login
            )
            self._call(session, opening, answer, request)

    def complete(self, request: CompleteRequest, answer: BinaryIO) -> None:
        """Answer the prompt alone, without any skill or tool, in an empty folder that is removed afterwards."""
        with Staging() as stage, given(self.host.login, stage.home) as login:
            session = Session(request.prompt, request.model, stage.home, stage.root, None, 1, login, request.schema)
            self._call(session, Opening(str(stage.root)), answer, request)

    def parse(self, raw: bytes) -> Reply:
        """The answer as data; pure. Raises AgentFailure where the stream holds none."""
        stream = parse_stream(raw)
        try:
            return self.host.reply(stream)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            message = f"the event stream of {self.host.id} has another shape than known: {type(error).__name__}: {error}"
            raise AgentFailure(ErrorKind.PROTOCOL, message) from error

    def billed(self, raw: bytes) -> Usage | None:
        """What the stream says it cost, also where it holds no answer."""
        try:
            return self.host.usage(parse_stream(raw))
        except (AgentFailure, LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
            return None

    def unavailable(self) -> str | None:
        """Why the program cannot be used here and what to do about it, or None."""
        return self.host.program.missing() or hindrance(self.host.id)

    def _call(self, session: Session, opening: Opening, answer: BinaryIO, request: RunRequest | CompleteRequest) -> None:
        program, missing = self.host.program.path(), self.host.program.missing()
        if program is None or missing is not None:
            raise AgentFailure(ErrorKind.UNAVAILABLE, str(missing))
        descriptor, start = answer.fileno(), os.fstat(answer.fileno()).st_size
        write_all(descriptor, line(opening))
        invocation = self.host.invocation(session)
        outcome = run(
            self._argv(program, invocation, session),
            cwd=session.workspace,
            env=self._environment(invocation, session),
            stdin=invocation.stdin,
            stdout=answer,
            timeout_s=request.timeout_s,
            output_cap=RESPONSE_BYTES,
            pass_fds=session.login.descriptors,
            cancel=request.cancel,
        )
        sweep(session.workspace.parent)
        ended = {"exit_status": outcome.exit_status} if outcome.exit_status else {}
        write_all(descriptor, line({**self.host.closing(session.home), **ended, "type": CLOSING}))
        content = written(descriptor, start)
        kept = masked(without(content, self.host.repeated), session.login.secrets)
        raw = rewritten(descriptor, start, content, kept)
        stderr = masked(outcome.stderr, session.login.secrets)
        self._check(raw, msgspec.structs.replace(outcome, stderr=stderr), request.timeout_s)

    def _argv(self, program: str, invocation: Invocation, session: Session) -> list[str]:
        argv = [program, *invocation.arguments]
        if unconfined():
            return argv
        writable = [session.home, session.workspace] if session.profile == "package" else [session.home]
        return confine.confined(argv, map(str, writable))

    def _environment(self, invocation: Invocation, session: Session) -> Mapping[str, str]:
        common = {"LANG": "C.UTF-8", "TERM": "dumb", "NO_COLOR": "1", "CI": "1"}
        base = child_environment(session.home, session.home / "tmp", self._passed)
        return {**base, **common, **session.login.environment, **invocation.environment}

    def _check(self, raw: bytes, outcome: Outcome, timeout_s: int) -> None:
        """A host may leave with status 1 after an answer."""
        waited = self.host.waiting(parse_stream(raw)) if outcome.ended == "timeout" else None
        if waited is not None:
            raise waited
        require_answer(self.parse, raw, outcome, timeout_s, RESPONSE_BYTES)


def type_of(host: Host, title: str, diagnose: Callable[[], Diagnosis]) -> AgentType:
    """The type of agent around a host; `title` is the program's name in a sentence."""
    summary = f"{title}, run for each sample in a home of its own"
    return AgentType(host.id, host.cache_version, partial(HostAgent, host), summary, host.program.install, diagnose=diagnose)


def _identity(host: Host, definition: AgentDefinition, model: str | None) -> dict[str, Any]:
    """All that enters static keys; what is at its default is left out."""
    fields = {
        "cache_version": host.cache_version,
        "declared_version": definition.cache_version,
        "deterministic": definition.deterministic or None,
        "env": sorted(set(definition.env)) or None,
        "model": model,
        "profiles": host.profiles,
        "system_prompt": host.system_prompt,
    }
    return {"plugin": host.id, **{name: value for name, value in fields.items() if value is not None}}
