"""An agent of a plugin as the engine gets it: its identity completed, every call contained, every answer checked."""

from __future__ import annotations

from typing import Any, BinaryIO

import msgspec

from selftune_build.agents.declaration import stated_options
from selftune_build.agents.protocol import Agent, AgentFailure, AgentSettings, AgentType, CompleteRequest, RunRequest, Traits
from selftune_build.errors import SelftuneError
from selftune_build.fingerprint.digest import canonical_json
from selftune_build.limits import PLUGIN_GRACE_SECONDS
from selftune_build.model.learned import learned
from selftune_build.model.sample import ErrorKind, Reply, Usage
from selftune_build.plugins.contain import Manner, PluginFailure, Supplier, contained

_MAKING = Manner(passes=(SelftuneError,), reads_only=False)


def guarded_agent_type(each: AgentType, supplier: Supplier) -> AgentType:
    """The type with a `make` that raises nothing but InputError, UndecidedError and PluginFailure."""
    place = f"the agent `{each.id}`"

    def make(settings: AgentSettings) -> Agent:
        agent = contained(supplier, f"{place} (make)", lambda: each.make(settings), _MAKING)
        identity = contained(supplier, f"{place} (identity)", lambda: _identity(agent, each, settings), _MAKING)
        traits = contained(supplier, f"{place} (traits)", lambda: _traits(agent), _MAKING)
        return GuardedAgent(agent, each, supplier, settings.name, identity, traits)

    return msgspec.structs.replace(each, make=make)


class GuardedAgent:
    """One configured agent of a plugin (`agents.protocol.Agent`)."""

    def __init__(
        self, agent: Agent, kind: AgentType, supplier: Supplier, name: str, identity: dict[str, Any], traits: Traits
    ) -> None:
        self.name = name
        self.identity = identity
        self.traits = traits
        self._agent = agent
        self._kind = kind
        self._supplier = supplier

    def run(self, request: RunRequest, answer: BinaryIO) -> None:
        """As the agent's own. Raises AgentFailure, also where the plugin breaks or overstays its time limit."""
        self._asked("run", lambda: self._agent.run(request, answer), request)

    def complete(self, request: CompleteRequest, answer: BinaryIO) -> None:
        """As the agent's own. Raises AgentFailure."""
        self._asked("complete", lambda: self._agent.complete(request, answer), request)

    def parse(self, raw: bytes) -> Reply:
        """The answer as data, every field of the type it promises. Raises AgentFailure."""
        manner = Manner(passes=(AgentFailure,))
        try:
            reply: Reply = contained(
                self._supplier, self._place("parse"), lambda: _checked(self._agent.parse(raw), Reply), manner
            )
            return reply
        except PluginFailure as failure:
            raise AgentFailure(ErrorKind.PROTOCOL, failure.message) from None

    def billed(self, raw: bytes) -> Usage | None:
        """What the answer says it cost; None where the plugin cannot tell, or breaks."""
        try:
            usage: Usage | None = contained(
                self._supplier, self._place("billed"), lambda: _checked(self._agent.billed(raw), Usage | None)
            )
            return usage
        except PluginFailure:
            return None

    def unavailable(self) -> str | None:
        """Why the agent cannot be used here, with the command that installs what it needs."""
        try:
            why: str | None = contained(
                self._supplier,
                self._place("unavailable"),
                lambda: _checked(self._agent.unavailable(), str | None),
                Manner(reads_only=False),
            )
        except PluginFailure as failure:
            return failure.message
        if why and self._kind.install and self._kind.install not in why:
            return f"{why}; install it with `{self._kind.install}`"
        return why

    def _asked(self, verb: str, call: Any, request: RunRequest | CompleteRequest) -> None:
        manner = Manner(request.timeout_s + PLUGIN_GRACE_SECONDS, (AgentFailure,), reads_only=False, cancel=request.cancel)
        try:
            contained(self._supplier, self._place(verb), call, manner)
        except PluginFailure as failure:
            # A hang of the plugin is no time limit of the sample: that would count as an answer of the skill.
            kind = ErrorKind.UNAVAILABLE if failure.hung else ErrorKind.CRASH
            raise AgentFailure(kind, failure.message) from None

    def _place(self, verb: str) -> str:
        return f"the agent `{self._kind.id}` ({verb})"


def _identity(agent: Agent, kind: AgentType, settings: AgentSettings) -> dict[str, Any]:
    """What the agent says of itself, with id, cache version, options and, for one sample is then enough, whether it is
    deterministic.

    Whatever says otherwise is an error.
    """
    required: dict[str, Any] = {"plugin": kind.id, "cache_version": kind.cache_version}
    if settings.model is not None:
        required["model"] = settings.model
    if (options := stated_options(settings.definition)) is not None:
        required["options"] = options
    if _traits(agent).deterministic:
        required["deterministic"] = True
    own = agent.identity
    if not isinstance(own, dict):
        raise TypeError(f"its identity is {type(own).__name__}, not a mapping")
    for name, value in required.items():
        if own.get(name, value) != value:
            raise ValueError(f"its identity says {name} {own[name]!r}, its type {value!r}")
    plain: dict[str, Any] = msgspec.json.decode(canonical_json({**own, **required}))
    return plain


def _traits(agent: Agent) -> Traits:
    traits: Traits = _checked(agent.traits, Traits)
    return traits


def _checked(value: Any, expected: Any) -> Any:
    """The value, its fields of the types they promise: structs do not check what they are made from."""
    if not isinstance(value, expected):
        raise TypeError(f"it returned {type(value).__name__}, not {getattr(expected, '__name__', expected)}")
    if value is None or isinstance(value, str):
        return value
    return msgspec.convert(msgspec.to_builtins(value), learned(type(value)), strict=True)
