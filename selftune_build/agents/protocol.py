"""The narrow protocol between the engine and whatever answers prompts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from msgspec import Struct

from selftune_build.model.case import Profile
from selftune_build.model.manifest import AgentDefinition
from selftune_build.model.sample import ErrorKind, EvidenceOrigin, Reply, Usage

SKILLS_FOLDER = ".agents/skills"
"""Where skills are staged unless the agent's host looks somewhere else."""


class Workspace(Protocol):
    """The temporary folder of one sample; parts of it are made when they are first asked for."""

    @property
    def root(self) -> Path:
        """Absolute folder with the case's files, a git repository of its own."""

    @property
    def home(self) -> Path:
        """Absolute folder that serves as HOME; `tmp/` in it as TMPDIR."""

    def skill(self, name: str) -> Path:
        """Absolute folder of a staged skill, its files in place."""


class StagedSkill(Struct, frozen=True):
    """What a host sees of a skill before it activates it."""

    name: str
    description: str


class RunRequest(Struct, frozen=True):
    """Act on `prompt` in `workspace`."""

    call_id: str
    prompt: str
    workspace: Workspace
    skills: tuple[StagedSkill, ...]
    model: str | None
    sample: int
    timeout_s: int
    max_turns: int
    allow_exec: bool = True
    """False under `--no-exec`: scripts of a package must not be run; where one is needed, AgentFailure(UNAVAILABLE)."""
    cancel: threading.Event | None = None
    """Set when the user wants everything to end now."""
    profile: Profile = "package"
    """`routing` only for agents whose identity names it under `profiles`."""


class CompleteRequest(Struct, frozen=True):
    """Answer `prompt` alone, as JSON that matches `schema` where one is given."""

    call_id: str
    prompt: str
    model: str | None
    timeout_s: int
    schema: dict[str, Any] | None = None
    cancel: threading.Event | None = None
    """Set when the user wants everything to end now."""
    allow_exec: bool = True
    """False under `--no-exec`: programs of a package must not be run; where one is needed, AgentFailure(UNAVAILABLE)."""
    sample: int = 0
    """Which of several answers to one question this is."""


class Traits(Struct, frozen=True):
    """What the engine has to know about an agent beyond its identity."""

    origin: EvidenceOrigin
    deterministic: bool = False
    """One sample per case is enough."""
    free: bool = False
    """Calls cost nothing: no question before many of them, no fsync after each."""
    completes: bool = False
    """Can serve the role `complete`."""
    lazy: bool = False
    """Asks the workspace for the skills it activates, and sees no other; otherwise all are placed beforehand."""
    opens_skill_files: bool = True
    """The host may open every SKILL.md at start, so its access time proves nothing."""
    shows_listing: bool = False
    """The host shows file names of a skill when it activates it."""
    skills_folder: str = SKILLS_FOLDER
    """Folder of the workspace in which the host looks for skills."""
    exact_tools: tuple[str, ...] = ()
    """Tools of its own that read at most the paths in their input: of a file its bytes, of a folder the names in it."""
    remark: str = ""
    """What reports say first of this agent's evidence, after its name: half a sentence."""


class AgentFailure(Exception):
    """An attempt brought no answer: an infrastructure error, never evidence about the skill."""

    def __init__(self, kind: ErrorKind, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry_after_s = retry_after_s


class Agent(Protocol):
    """One configured agent. `run` and `complete` write the raw answer; `parse` alone interprets it."""

    name: str
    """The name in manifest, lock and report."""
    identity: dict[str, Any]
    """Plain JSON without floats: verbatim what enters static keys and the lock. An agent that serves the profile `routing`
    has it as a key under `profiles`, since `--locked` computes keys from the identity alone."""
    traits: Traits

    def run(self, request: RunRequest, answer: BinaryIO) -> None:
        """Write the raw answer to `answer`, an unbuffered file, also open for reading, that a child may inherit as its stdout.

        Raises AgentFailure when there is no answer. Never raises for what the answer says.
        """

    def complete(self, request: CompleteRequest, answer: BinaryIO) -> None:
        """As `run`, without a workspace. Raises AgentFailure(UNAVAILABLE) where `traits.completes` is false."""

    def parse(self, raw: bytes) -> Reply:
        """The answer as data; pure. Raises AgentFailure(PROTOCOL or REPORTED) where it is not a valid one."""

    def billed(self, raw: bytes) -> Usage | None:
        """What an answer says it cost, as far as it can be told, also for one that `parse` refuses."""

    def unavailable(self) -> str | None:
        """Why the agent cannot be used here and what to do about it, or None."""


class AgentSettings(Struct, frozen=True):
    """For whom an agent is made: all that may decide its identity beside the machine it runs on."""

    name: str
    """The name in manifest, lock and report."""
    definition: AgentDefinition | None
    """What the manifest declares under `agents:` for this name, None where it is the id of a type."""
    model: str | None
    """The model asked for, None for the agent's own default."""
    workspace_root: Path


class Diagnosis(Struct, frozen=True):
    """What `selftune doctor` finds out about the program behind a type of agent, without asking a model anything."""

    program: str | None
    """Absolute path, None where it is not installed."""
    version: str | None = None
    login: str | None = None
    """How it would authenticate, in the program's own words where it has a command for that; None: it could not."""
    problems: tuple[str, ...] = ()
    """What stands in the way of using it."""
    next_step: str | None = None
    """The command to type next; None: it is ready."""


class AgentType(Struct, frozen=True):
    """A kind of agent that a manifest can name: by its id, or as the `type` of an entry under `agents:`."""

    id: str
    cache_version: str
    """Part of every identity: raise it when the same question may now get another answer."""
    make: Callable[[AgentSettings], Agent]
    """Makes one configured agent, without asking it anything. Raises InputError for settings that make no agent."""
    summary: str = ""
    """One line that says what answers."""
    install: str = ""
    """The command that installs what the agent needs, for the message where it is missing."""
    diagnose: Callable[[], Diagnosis] | None = None
    """Looks at the program on this machine; None where there is none to look at."""
    options: tuple[str, ...] = ()
    """What may stand under `options:` of its entry in a manifest. They enter the identity by themselves; `make` checks values."""
    priced: bool = False
    """Whether it takes `prices:`."""
