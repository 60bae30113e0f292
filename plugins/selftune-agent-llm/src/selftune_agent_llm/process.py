"""Starts the worker: the environment it gets, and the folder of the library that is its own."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import BinaryIO

import msgspec

from selftune_agent_llm import keys
from selftune_agent_llm.library import USER_PATH
from selftune_agent_llm.worker import Job
from selftune_build.agents.hosts.login import Given
from selftune_build.environment import child_environment
from selftune_build.process import Outcome, run

_WORKER = (sys.executable, "-P", "-m", "selftune_agent_llm.worker")
"""-P: the folder it starts in is no place to import from."""


def work(
    job: Job,
    home: Path,
    login: Given,
    timeout_s: float,
    cap: int,
    answer: BinaryIO | None = None,
    cancel: threading.Event | None = None,
) -> Outcome:
    """Have a job done, its events written into `answer` where there is one."""
    environment = {**child_environment(home, home / "tmp"), **login.environment, USER_PATH: str(keys.user_path(home))}
    return run(
        _WORKER,
        cwd=home,
        env=environment,
        stdin=msgspec.json.encode(job),
        stdout=answer,
        timeout_s=timeout_s,
        output_cap=cap,
        cancel=cancel,
    )
