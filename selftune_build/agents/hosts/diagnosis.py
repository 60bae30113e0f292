"""What `selftune doctor` says of a host: the program, its version, and by its own word whether it could log in."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from selftune_build.agents.hosts.host import UNCONFINED, hindrance
from selftune_build.agents.hosts.login import Login
from selftune_build.agents.hosts.program import Program
from selftune_build.agents.protocol import Diagnosis
from selftune_build.process import Outcome


def diagnose(
    program: Program,
    login: Login,
    log_in: str,
    status: Sequence[str] = (),
    told: Callable[[Outcome], str | None] = lambda outcome: None,
) -> Diagnosis:
    """Ask the program for its version and for its login.

    `log_in` is the command to type where nothing is there; `status` the arguments of its own status command, empty where it has
    none, and `told` what the outcome of that says (None: not logged in).
    """
    path, lacking = program.path(), program.lacking()
    if lacking is not None:
        return Diagnosis(path, problems=(f"{lacking.name} is not on PATH",), next_step=lacking.install)
    version = program.told_version()
    problems = () if version else (f"{program.name} --version gives no version",)
    hindered = hindrance(program.name)
    if hindered is not None:
        return Diagnosis(path, version, None, (*problems, hindered), f"export {UNCONFINED}=1")
    said = _status(program, login, status, told) if status else login.found()
    if said is None:
        return Diagnosis(path, version, None, (*problems, f"{program.name} is not logged in"), log_in)
    return Diagnosis(path, version, said, problems, program.install if problems else None)


def _status(program: Program, login: Login, status: Sequence[str], told: Callable[[Outcome], str | None]) -> str | None:
    variables = {variable.name: value for variable, value in login.values().items()}
    folders = [file.folder_variable for file in login.files if file.folder_variable in os.environ]
    variables.update({name: os.environ[name] for name in folders})
    outcome = program.ask(status, variables, Path.home())
    return told(outcome) if outcome is not None and outcome.ended == "exit" else None
