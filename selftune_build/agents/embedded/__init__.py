"""The default agent: a host in miniature, deterministic, free and offline."""

from __future__ import annotations

from typing import Any, BinaryIO

from selftune_build.agents.protocol import AgentFailure, CompleteRequest, RunRequest, Traits
from selftune_build.agents.response import parse_response
from selftune_build.model.sample import ErrorKind, EvidenceOrigin, Reply, Usage


class EmbeddedAgent:
    """Chooses a skill by its words, follows its instructions to files and scripts, and answers with what those say.

    No model is run: what it shows and what it cannot show stands in docs/embedded-agent.md.
    """

    def __init__(self, name: str = "embedded") -> None:
        self.name = name
        self.identity: dict[str, Any] = {"plugin": "embedded", "cache_version": "2", "deterministic": True}
        self.traits = Traits(EvidenceOrigin.SIMULATED, deterministic=True, free=True, lazy=True, opens_skill_files=False)

    def run(self, request: RunRequest, answer: BinaryIO) -> None:
        """Write the response of DESIGN 8.5. Raises AgentFailure(UNAVAILABLE) where a script may not or cannot run."""
        # Routing and reading bring numpy and a Markdown parser: whoever only asks for the identity does not pay for them.
        from selftune_build.agents.embedded.session import act

        _write_all(answer, act(request))

    def complete(self, request: CompleteRequest, answer: BinaryIO) -> None:
        """Raises AgentFailure(UNAVAILABLE): there is no model here that could answer."""
        raise AgentFailure(ErrorKind.UNAVAILABLE, "the embedded agent runs no model: name another agent for judging")

    def parse(self, raw: bytes) -> Reply:
        """The answer as data. Raises AgentFailure(PROTOCOL or REPORTED) where it is not a valid one."""
        return parse_response(raw)

    def billed(self, raw: bytes) -> Usage | None:
        """None: it costs nothing."""
        return None

    def unavailable(self) -> str | None:
        """None: it needs nothing but this program."""
        return None


def _write_all(answer: BinaryIO, content: bytes) -> None:
    """An unbuffered file may take less than it is given."""
    rest = memoryview(content)
    while rest:
        rest = rest[answer.write(rest) :]
