"""Runs script calls on the files of the case."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from selftune_build import process
from selftune_build.agents.embedded.calls import ScriptCall
from selftune_build.agents.embedded.reading import inside
from selftune_build.agents.protocol import AgentFailure, RunRequest
from selftune_build.environment import child_environment
from selftune_build.limits import EMBEDDED_SCRIPT_OUTPUT_BYTES
from selftune_build.model.sample import ErrorKind

_FIXED_ENVIRONMENT = {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1", "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "TZ": "UTC"}
_VARIABLES_LEFT_OUT = re.compile(r"LC_|LANGUAGE$")


class ScriptResult(Struct, frozen=True):
    """How one script ended."""

    call: ScriptCall
    stdout: bytes
    failure: str | None
    """Why it counts as failed, in one line; None where it ended well."""


def run_scripts(request: RunRequest, folder: Path, wanted: Sequence[ScriptCall]) -> list[ScriptResult]:
    """Run the calls one after the other in the workspace; the first that fails is the last that is run.

    Raises AgentFailure(UNAVAILABLE) where an interpreter is not installed: that says nothing about the skill.
    """
    results: list[ScriptResult] = []
    deadline = time.monotonic() + request.timeout_s
    for call in wanted:
        results.append(_run(request, folder, call, max(0.0, deadline - time.monotonic())))
        if results[-1].failure is not None:
            break
    return results


def _run(request: RunRequest, folder: Path, call: ScriptCall, timeout_s: float) -> ScriptResult:
    target = inside(folder, call.script)
    if target is None or not target.is_file():
        return ScriptResult(call, b"", f"{call.script} is missing")
    environment = _environment(request.workspace.home)
    outcome = process.run(
        (_program(call.argv[0], environment), *call.argv[1:]),
        cwd=request.workspace.root,
        env=environment,
        timeout_s=timeout_s,
        output_cap=EMBEDDED_SCRIPT_OUTPUT_BYTES,
        cancel=request.cancel,
    )
    if outcome.ended == "cancelled":
        raise AgentFailure(ErrorKind.CRASH, f"{call.script} was stopped by the user")
    return ScriptResult(call, outcome.stdout, _failure(call, request.timeout_s, outcome))


def _environment(home: Path) -> dict[str, str]:
    given = child_environment(home, home / "tmp")
    return {name: value for name, value in given.items() if not _VARIABLES_LEFT_OUT.match(name)} | _FIXED_ENVIRONMENT


def _program(name: str, environment: dict[str, str]) -> str:
    if name.startswith("./"):
        return name
    found = shutil.which(name, path=environment.get("PATH", os.defpath))
    if found is None:
        raise AgentFailure(ErrorKind.UNAVAILABLE, f"a script of the skill needs `{name}`, which is not installed here")
    return found


def _failure(call: ScriptCall, timeout_s: int, outcome: process.Outcome) -> str | None:
    lines = outcome.stderr.decode("utf-8", "replace").strip().splitlines()
    reason = f": {lines[-1].strip()}" if lines else ""
    match outcome.ended:
        case "exit":
            return None if outcome.exit_status == 0 else f"{call.script} ended with exit status {outcome.exit_status}{reason}"
        case "timeout":
            return f"{call.script} did not end within {timeout_s} seconds"
        case "flood":
            return f"{call.script} printed more than {EMBEDDED_SCRIPT_OUTPUT_BYTES} bytes"
        case "missing":
            return f"{call.script} could not be started{reason}"
        case "cancelled":
            return f"{call.script} was stopped"
