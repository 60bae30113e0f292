"""What one agent run was asked and what came back."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct, field


class EvidenceOrigin(StrEnum):
    """Where evidence comes from; the three are never mixed."""

    LIVE = "live"
    SIMULATED = "simulated"
    RECORDED = "recorded"


class ErrorKind(StrEnum):
    """Why an attempt brought no answer; never evidence about the skill."""

    CRASH = "crash"
    TIMEOUT = "timeout"
    FLOOD = "flood"
    PROTOCOL = "protocol"
    REPORTED = "reported"
    UNAVAILABLE = "unavailable"
    RATE_LIMIT = "rate-limit"
    AUTH = "auth"


class ToolCall(Struct, frozen=True):
    """One tool the agent called, with its input as the host reported it."""

    name: str
    input: dict[str, Any] = field(default_factory=dict)


class Usage(Struct, frozen=True):
    """What an attempt used; `cost_usd` is a decimal string."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: str = "0"
    unpriced: bool = False
    """The agent does not tell what it cost: `cost_usd` is 0 and means nothing."""
    turns: int | None = None
    """Answers of the model in the run; None where the agent does not tell."""


class Reply(Struct, frozen=True):
    """The agent's answer, parsed. None means the agent does not tell, which is not the same as an empty list."""

    output: str
    skills_used: tuple[str, ...] | None = None
    files_read: tuple[str, ...] | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    usage: Usage | None = None
    model: str | None = None
    """The model that served, as far as the agent tells."""
    program: str | None = None
    """Name and version of the program that ran. Not part of what came back: another version may give the same answer."""
    refused: tuple[str, ...] = ()
    """What the agent tried and was not allowed, one line each: above all writes outside the workspace."""


class FileChange(Struct, frozen=True):
    """A file that the sample left behind: its bytes, or None where a staged file is gone."""

    path: str
    content: bytes | None
    executable: bool = False


class Transcript(Struct, frozen=True):
    """What checks are judged on: the reply plus the files the run left behind, and for scripts how it ended."""

    reply: Reply
    files: tuple[FileChange, ...] = ()
    exit_status: int | None = None
    stderr: str = ""
    limit: bool = False
    """The sample hit its time limit twice: it counts as failed."""
    milliseconds: int | None = None
    """From start to end, as it was measured; not part of what came back."""


class Sample(Struct, frozen=True):
    """One finished sample: the unit of money, durability and reuse. Samples of one static key and tree are a cohort."""

    static_key: str
    call_id: str
    index: int
    staged_tree: str
    """Digest of the tree record it was staged from: which skills, with which facets."""
    observed: frozenset[str]
    transcript: Transcript
    digest: str
    """What was asked and what came back, without call_id, times, cost and paths."""
    recorded: str = ""
    """When it was finished, ISO 8601 in UTC; decides nothing."""
