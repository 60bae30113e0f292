"""How a row is put to whoever answers it: an agent, or for a script the script itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import BinaryIO

from msgspec import Struct

from selftune_build import process
from selftune_build.agents.protocol import Agent, AgentFailure, CompleteRequest, RunRequest, StagedSkill
from selftune_build.agents.staging import Staging
from selftune_build.engine.paying.set_up import set_up
from selftune_build.environment import script_environment
from selftune_build.limits import SCRIPT_OUTPUT_BYTES
from selftune_build.model.sample import ErrorKind
from selftune_build.stages.row import RowSpec
from selftune_build.stages.ruling import SCHEMA


class Ended(Struct, frozen=True):
    """How a script ended, beside what it wrote to the answer; both empty for an agent."""

    exit_status: int | None = None
    stderr: bytes = b""


Ask = Callable[[RowSpec, str, int, Staging, BinaryIO], Ended]
"""Row, call_id, sample index, its workspace, the file the raw answer goes to. Raises AgentFailure."""


def agent_asker(agent: Agent, model: str | None, allow_exec: bool, cancel: threading.Event) -> Ask:
    """Puts the prompt of a case to an agent."""

    def ask(spec: RowSpec, call_id: str, index: int, stage: Staging, answer: BinaryIO) -> Ended:
        limits = spec.case.limits or spec.package.manifest.limits
        set_up(spec, stage, allow_exec, cancel)
        skills = tuple(StagedSkill(name, package.skill.description) for name, package in sorted(spec.staged.packages.items()))
        agent.run(
            RunRequest(
                call_id=call_id,
                prompt=spec.case.prompt,
                workspace=stage,
                skills=skills,
                model=model,
                sample=index,
                timeout_s=limits.timeout_s,
                max_turns=limits.max_turns,
                allow_exec=allow_exec,
                cancel=cancel,
                profile=spec.profile,
            ),
            answer,
        )
        return Ended()

    return ask


def judge_asker(judge: Agent, model: str | None, allow_exec: bool, cancel: threading.Event) -> Ask:
    """Puts a question to an agent in the role `complete`."""

    def ask(spec: RowSpec, call_id: str, index: int, stage: Staging, answer: BinaryIO) -> Ended:
        limits = spec.case.limits or spec.package.manifest.limits
        judge.complete(
            CompleteRequest(
                call_id=call_id,
                prompt=spec.case.prompt,
                model=model,
                timeout_s=limits.timeout_s,
                schema=spec.inputs[SCHEMA],
                cancel=cancel,
                allow_exec=allow_exec,
                sample=index,
            ),
            answer,
        )
        return Ended()

    return ask


def script_asker(cancel: threading.Event) -> Ask:
    """Runs the command of a script case. Its time limit is part of the test, so reaching it is an answer."""

    def ask(spec: RowSpec, call_id: str, index: int, stage: Staging, answer: BinaryIO) -> Ended:
        set_up(spec, stage, True, cancel)
        argv = [_placed(word, spec, stage) for word in spec.case.run]
        limits = spec.case.limits or spec.package.manifest.limits
        outcome = process.run(
            argv,
            cwd=stage.root,
            env=script_environment(stage.home, stage.home / "tmp"),
            stdin=spec.case.stdin.encode(),
            stdout=answer,
            timeout_s=limits.timeout_s,
            output_cap=SCRIPT_OUTPUT_BYTES,
            cancel=cancel,
        )
        if outcome.ended == "missing":
            raise AgentFailure(
                ErrorKind.UNAVAILABLE, f"{spec.case.run[0]} cannot be started: {outcome.stderr.decode(errors='replace')}"
            )
        if outcome.ended == "cancelled":
            raise AgentFailure(ErrorKind.CRASH, "interrupted")
        return Ended(None if outcome.ended == "timeout" else outcome.exit_status, outcome.stderr)

    return ask


def _placed(word: str, spec: RowSpec, stage: Staging) -> str:
    """A word of the command that names a file of the package means the staged copy."""
    if any(file.path == word for file in spec.package.staged):
        return str(stage.skill(spec.package.name) / word)
    return word
