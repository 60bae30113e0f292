"""The commands that a case runs in its workspace before its prompt or its script."""

from __future__ import annotations

import threading

from selftune_build import process
from selftune_build.agents.protocol import AgentFailure
from selftune_build.agents.staging import Staging
from selftune_build.environment import script_environment
from selftune_build.limits import SCRIPT_OUTPUT_BYTES
from selftune_build.model.sample import ErrorKind
from selftune_build.stages.row import RowSpec


def set_up(spec: RowSpec, stage: Staging, allow_exec: bool, cancel: threading.Event) -> None:
    """Run each command of `setup`, in order, in the case's workspace.

    Raises AgentFailure(UNAVAILABLE) where one may not run, cannot be started or does not end with 0: nothing was asked then,
    so it says nothing about the skill.
    """
    if spec.case.setup and not allow_exec:
        raise AgentFailure(ErrorKind.UNAVAILABLE, "the case has set-up commands, and --no-exec refuses to run them")
    limits = spec.case.limits or spec.package.manifest.limits
    for argv in spec.case.setup:
        outcome = process.run(
            argv,
            cwd=stage.root,
            env=script_environment(stage.home, stage.home / "tmp"),
            timeout_s=limits.timeout_s,
            output_cap=SCRIPT_OUTPUT_BYTES,
            cancel=cancel,
        )
        if outcome.ended != "exit" or outcome.exit_status != 0:
            ended = f"exit status {outcome.exit_status}" if outcome.ended == "exit" else outcome.ended
            said = " ".join(outcome.stderr.decode(errors="replace").split())
            raise AgentFailure(ErrorKind.UNAVAILABLE, f"the set-up command `{' '.join(argv)}` ended with {ended}: {said}")
