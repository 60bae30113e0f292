"""Runs a script of a staged skill: confined, without network, bounded in time and output."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from msgspec import Struct

from selftune_agent_openai import sandbox
from selftune_build import process
from selftune_build.agents.hosts import confine
from selftune_build.environment import script_environment

SECONDS = 60
OUTPUT_BYTES = 4 * 1024 * 1024
SHOWN_CHARACTERS = 32 * 1024
"""What of each stream a model gets."""
INTERPRETERS = {".py": "python3", ".sh": "sh", ".bash": "bash", ".js": "node", ".mjs": "node", ".cjs": "node"}


class Missing(Exception):
    """The interpreter of a script is not installed: that says nothing about the skill."""


class Surroundings(Struct, frozen=True):
    """Where scripts run."""

    workspace: Path
    home: Path
    passed: tuple[str, ...] = ()
    """Names of variables that are handed on."""
    confined: bool = True


class Ran(Struct, frozen=True):
    """How a script ended: what the model is told, and what of the network was left."""

    text: str
    network: str


def run(script: Path, arguments: Sequence[str], where: Surroundings) -> Ran | None:
    """Run a script; None for a file that is none. Raises Missing, and SystemExit when this process is told to end."""
    environment = script_environment(where.home, where.home / "tmp")
    environment.update({name: os.environ[name] for name in where.passed if name in os.environ})
    program = _program(script, environment)
    if program is None:
        return None
    reader, writer = os.pipe()
    try:
        with _told_to_end() as told:
            outcome = process.run(
                [*_sandboxed(where, writer), *program, *arguments],
                cwd=where.workspace,
                env=environment,
                timeout_s=SECONDS,
                output_cap=OUTPUT_BYTES,
                pass_fds=(writer,),
                cancel=told,
            )
    finally:
        os.close(writer)
    with os.fdopen(reader, "rb") as state:
        network = state.read(16).decode() if outcome.ended != "missing" else ""
    if told.is_set():
        raise SystemExit(128 + signal.SIGTERM)
    return Ran(_told(outcome), network)


def _program(script: Path, environment: dict[str, str]) -> list[str] | None:
    interpreter = INTERPRETERS.get(script.suffix.lower())
    if interpreter is None:
        return [str(script)] if os.access(script, os.X_OK) else None
    found = shutil.which(interpreter, path=environment.get("PATH", os.defpath))
    if found is None:
        raise Missing(f"a script of the skill needs `{interpreter}`, which is not installed here")
    return [found, str(script)]


def _sandboxed(where: Surroundings, state: int) -> list[str]:
    confinement = confine.__file__ if where.confined else "-"
    writable = [str(where.workspace), str(where.home)]
    return [sys.executable, "-I", "-S", sandbox.__file__, confinement, str(state), *writable, "--"]


@contextmanager
def _told_to_end() -> Iterator[threading.Event]:
    """The event that is set when somebody ends this process: then the script goes first, in the moment that is left."""
    told = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        told.set()

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield told
    finally:
        signal.signal(signal.SIGTERM, before)


def _told(outcome: process.Outcome) -> str:
    ended = {
        "exit": f"exit status {outcome.exit_status}",
        "timeout": f"it did not end within {SECONDS} seconds, and was stopped",
        "flood": f"it printed more than {OUTPUT_BYTES} bytes, and was stopped",
        "missing": "it could not be started",
        "cancelled": "it was stopped",
    }[outcome.ended]
    return "\n".join([ended, *_stream("stdout", outcome.stdout), *_stream("stderr", outcome.stderr)])


def _stream(name: str, content: bytes) -> Iterator[str]:
    text = content.decode("utf-8", "replace").rstrip("\n")
    if len(text) > SHOWN_CHARACTERS:
        yield f"{name}, the first {SHOWN_CHARACTERS} of {len(text)} characters:"
    elif text:
        yield f"{name}:"
    if text:
        yield text[:SHOWN_CHARACTERS]
