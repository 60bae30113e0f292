"""What `selftune doctor` says of a host: the program, its version, and by its own word whether it could log in."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from selftune_build.agents.hosts.host import UNCONFINED, hindrance
from selftune_build.agents.hosts.login import Login
from selftune_build.agents.hosts.program import Program
from selftune_build.agents.protocol import Diagnosis
from selftune_build.process import Outcome

_VERSION = re.compile(r"\d+\.\d+[\w.+-]*")


def diagnose(
    program: Program, login: Login, status: Sequence[str], told: Callable[[Outcome], str | None], log_in: str
) -> Diagnosis:
    """Ask the program for its version and for its login.

    `status` are the arguments of its own status command, `told` what its outcome says (None: not logged in), `log_in` the
    command to type where nothing is there.
    """
    path = program.path()
    if path is None:
        return Diagnosis(None, problems=(f"{program.name} is not on PATH",), next_step=program.install)
    version = _version(program.ask(["--version"]))
    problems = () if version else (f"{program.name} --version gives no version",)
    hindered = hindrance(program.name)
    if hindered is not None:
        return Diagnosis(path, version, None, (*problems, hindered), f"export {UNCONFINED}=1")
    variables = {variable.name: value for variable, value in login.values().items()}
    folders = [file.folder_variable for file in login.files if file.folder_variable in os.environ]
    variables.update({name: os.environ[name] for name in folders})
    outcome = program.ask(status, variables, Path.home())
    said = told(outcome) if outcome is not None and outcome.ended == "exit" else None
    if said is None:
        return Diagnosis(path, version, None, (*problems, f"{program.name} is not logged in"), log_in)
    return Diagnosis(path, version, said, problems, program.install if problems else None)


def _version(outcome: Outcome | None) -> str | None:
    text = "" if outcome is None or outcome.exit_status != 0 else outcome.stdout.decode("utf-8", "replace")
    found = _VERSION.search(text)
    return found[0] if found else None
