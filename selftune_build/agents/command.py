"""An agent that is a command: one JSON request on stdin, one JSON response on stdout (DESIGN 8.5)."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import threading
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from selftune_build.agents.outcome import failure_of
from selftune_build.agents.protocol import AgentFailure, CompleteRequest, RunRequest, Traits
from selftune_build.agents.response import parse_response
from selftune_build.agents.staging import Staging
from selftune_build.environment import child_environment
from selftune_build.errors import InputError, refuse_machine
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.limits import COMMAND_FILE_MAX_BYTES, RESPONSE_BYTES
from selftune_build.model.location import Location
from selftune_build.model.manifest import AgentDefinition
from selftune_build.model.sample import ErrorKind, EvidenceOrigin, Reply, Usage
from selftune_build.probe import probed
from selftune_build.process import run

PROTOCOL = "selftune.agent/1"
_INTERPRETER = re.compile(r"python[\d.]*|node|ruby|perl|php|bash|dash|zsh|sh")
_SCRIPT = re.compile(r"[\w.-][\w./-]*/[\w.-]+\.\w+|[\w-]+\.[a-z]+")
_CODE_FOLLOWS = frozenset({"-c", "-e", "-m", "-r", "-p", "-W", "-X", "--require", "--import", "--eval"})
"""Options after which nobody can tell here which word is the script."""


class CommandAgent:
    """One agent declared with `type: command` (`agents.protocol.Agent`). Raises InputError for a program file it cannot read."""

    def __init__(self, name: str, definition: AgentDefinition, workspace_root: Path, model: str | None = None) -> None:
        self.name = name
        self._definition = definition
        self._base = Path(os.path.abspath(workspace_root / definition.base))
        self._files = _workspace_files(definition.argv, self._base, workspace_root)
        self.identity: dict[str, Any] = _identity(definition, self._files, model)
        self.traits = Traits(
            origin=origin_of(definition),
            deterministic=definition.deterministic,
            free=definition.free,
            completes=True,
        )

    def run(self, request: RunRequest, answer: BinaryIO) -> None:
        """Run the command in the workspace, its stdout going straight into `answer`. Raises AgentFailure."""
        self._refuse_unless(request.allow_exec)
        workspace = request.workspace
        message: dict[str, Any] = {
            "protocol": PROTOCOL,
            "call_id": request.call_id,
            "role": "run",
            "prompt": request.prompt,
            "workspace": str(workspace.root),
            "skills": [
                {"name": skill.name, "path": str(workspace.skill(skill.name)), "description": skill.description}
                for skill in request.skills
            ],
            "model": request.model,
            "sample": request.sample,
            "timeout_s": request.timeout_s,
            "max_turns": request.max_turns,
        }
        self._call(message, workspace.root, workspace.home, answer, request.timeout_s, request.cancel)

    def complete(self, request: CompleteRequest, answer: BinaryIO) -> None:
        """Answer the prompt alone, in an empty folder that is removed afterwards. Raises AgentFailure."""
        self._refuse_unless(request.allow_exec)
        message: dict[str, Any] = {
            "protocol": PROTOCOL,
            "call_id": request.call_id,
            "role": "complete",
            "prompt": request.prompt,
            "workspace": None,
            "skills": [],
            "model": request.model,
            "sample": request.sample,
            "timeout_s": request.timeout_s,
            "max_turns": 1,
        }
        if request.schema is not None:
            message["schema"] = request.schema
        with Staging() as stage:
            self._call(message, stage.root, stage.home, answer, request.timeout_s, request.cancel)

    def parse(self, raw: bytes) -> Reply:
        """The response as data. Raises AgentFailure(PROTOCOL or REPORTED)."""
        return parse_response(raw)

    def billed(self, raw: bytes) -> Usage | None:
        """The usage that an answer states, whatever else is wrong with it; None where it cannot be read."""
        return billed(raw)

    def unavailable(self) -> str | None:
        """Why the program cannot be started and what to do about it, or None."""
        if not self._definition.argv:
            return f"the agent `{self.name}` has no argv: name the program to run in selftune.yaml"
        declared, program = self._definition.argv[0], self._argv[0]
        if shutil.which(program) is not None:
            return self._without_script()
        if declared in self._files:
            return f"{declared} is not executable: run `chmod +x {declared}`, or name its interpreter first in argv"
        where = "in the workspace" if "/" in declared else "on PATH"
        return f"the program `{declared}` of the agent `{self.name}` is not {where}: install it, or mend argv in selftune.yaml"

    def _without_script(self) -> str | None:
        """Why an interpreter has nothing to run, as far as its first words tell."""
        script = script_of(self._definition.argv)
        if script is None or script in self._files:
            return None
        if os.path.exists(self._base / script):
            remedy = "name it by its absolute path, and change `cache_version` when it changes"
            return f"{script} of the agent `{self.name}` lies outside of the workspace: {remedy}"
        return f"{script} of the agent `{self.name}` is not in the workspace: write it, or mend argv in selftune.yaml"

    def _refuse_unless(self, allow_exec: bool) -> None:
        if not allow_exec:
            raise AgentFailure(ErrorKind.UNAVAILABLE, f"the agent `{self.name}` is a command, and --no-exec refuses to run it")

    @cached_property
    def _argv(self) -> list[str]:
        """The command with the workspace's files by their absolute paths, because it runs in another folder."""
        return [str(self._base / each) if each in self._files else each for each in self._definition.argv]

    def _call(
        self,
        message: dict[str, Any],
        cwd: Path,
        home: Path,
        answer: BinaryIO,
        timeout_s: int,
        cancel: threading.Event | None,
    ) -> None:
        if not self._definition.argv:
            raise AgentFailure(ErrorKind.UNAVAILABLE, self.unavailable() or "no program")
        outcome = run(
            self._argv,
            cwd=cwd,
            env=child_environment(home, home / "tmp", self._definition.env),
            stdin=json.dumps(message).encode() + b"\n",
            stdout=answer,
            timeout_s=timeout_s,
            output_cap=RESPONSE_BYTES,
            cancel=cancel,
        )
        failure = failure_of(outcome, timeout_s, RESPONSE_BYTES)
        if failure is not None:
            raise failure


def billed(raw: bytes) -> Usage | None:
    """The usage that an answer states, whatever else is wrong with it; None where it cannot be read."""
    try:
        usage = json.loads(raw)["usage"]
        return parse_response(json.dumps({"output": "", "usage": usage}).encode()).usage
    except (AgentFailure, ValueError, LookupError, TypeError, RecursionError):
        return None


def origin_of(definition: AgentDefinition) -> EvidenceOrigin:
    """As declared; else what answers the same each time is taken for a simulation."""
    if definition.origin is not None:
        return EvidenceOrigin(definition.origin)
    return EvidenceOrigin.SIMULATED if definition.deterministic else EvidenceOrigin.LIVE


def _identity(definition: AgentDefinition, files: dict[str, str], model: str | None) -> dict[str, Any]:
    """All that enters static keys: what is at its default is left out, so that a new field changes no old key."""
    fields = {
        "argv": list(definition.argv),
        "cache_version": definition.cache_version,
        "deterministic": definition.deterministic or None,
        "env": sorted(set(definition.env)) or None,
        "files": files or None,
        "model": model,
    }
    return {"plugin": "command", **{name: value for name, value in fields.items() if value is not None}}


def script_of(argv: tuple[str, ...]) -> str | None:
    """The script that an interpreter is to run, by a relative path; None where nobody can tell."""
    if not _INTERPRETER.fullmatch(os.path.basename(argv[0])):
        return None
    words = list(itertools.takewhile(lambda word: word not in _CODE_FOLLOWS, argv[1:]))
    first = next((word for word in words if not word.startswith("-")), "")
    return first if _SCRIPT.fullmatch(first) else None


def _workspace_files(argv: tuple[str, ...], base: Path, workspace_root: Path) -> dict[str, str]:
    """Digest of every element of argv that is a file in the workspace, by the element as declared."""
    inside = os.path.realpath(workspace_root)
    found = {}
    for element in argv:
        path = _probed(base / element) if element and "\0" not in element else None
        if path is not None and path.is_relative_to(inside) and _is_file(path):
            found[element] = _digest(path)
    return found


def _probed(path: Path) -> Path:
    """Where a path leads; what stands there is part of the identity."""
    probed(path)
    return Path(os.path.realpath(path))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _digest(path: Path) -> str:
    try:
        if path.stat().st_size > COMMAND_FILE_MAX_BYTES:
            raise InputError(f"{path} is larger than {COMMAND_FILE_MAX_BYTES} bytes", at=Location(str(path)))
        return digest_bytes(path.read_bytes())
    except OSError as error:
        refuse_machine(error, path)
        raise InputError(f"{path} cannot be read: {error.strerror}", at=Location(str(path))) from error
