"""Starts the worker: where it may write, and the environment it gets."""

from __future__ import annotations

import os
import sys
import threading
from typing import BinaryIO

import msgspec

from selftune_agent_openai.worker import Job
from selftune_build.agents.hosts import confine
from selftune_build.agents.hosts.login import NETWORK
from selftune_build.environment import child_environment
from selftune_build.process import Outcome, run

_WORKER = (sys.executable, "-P", "-m", "selftune_agent_openai.worker")
"""-P: the folder it starts in is no place to import from."""


def work(job: Job, timeout_s: float, cap: int, answer: BinaryIO, cancel: threading.Event | None) -> Outcome:
    """Have a job done, its events written into `answer`. The key goes through stdin, so that it is in no environment."""
    network = {name: os.environ[name] for name in NETWORK if name in os.environ}
    writable = [job.home, job.workspace] if job.role == "package" else [job.home]
    return run(
        confine.confined(_WORKER, writable) if job.confined else _WORKER,
        cwd=job.home,
        env={**child_environment(job.home, f"{job.home}/tmp", job.passed), **network},
        stdin=msgspec.json.encode(job),
        stdout=answer,
        timeout_s=timeout_s,
        output_cap=cap,
        cancel=cancel,
    )
