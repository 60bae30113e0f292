"""What `selftune doctor` says of the library: its version, whose keys are there; no model is asked."""

from __future__ import annotations

import os
import shutil
from importlib.metadata import PackageNotFoundError, entry_points, version

import msgspec

from selftune_agent_llm import keys
from selftune_agent_llm.library import BASE_URL, Description
from selftune_agent_llm.process import work
from selftune_agent_llm.worker import Job
from selftune_build.agents.hosts.login import Given
from selftune_build.agents.protocol import Diagnosis
from selftune_build.agents.staging import Staging
from selftune_build.limits import HOST_PROBE_OUTPUT_BYTES, HOST_PROBE_TIMEOUT_S

INSTALL = "pip install llm"
NO_KEY = "llm has no key, and no model that needs none"


def diagnose() -> Diagnosis:
    """Ready with a key, with a service behind OPENAI_BASE_URL, or with a model that needs neither."""
    try:
        found = version("llm")
    except PackageNotFoundError:
        return Diagnosis(None, problems=("the library llm is not installed",), next_step=INSTALL)
    variables = [each.name for each in keys.VARIABLES if each.secret or each.name == BASE_URL]
    has = [f"{name} (llm keys)" for name in keys.kept()] + [name for name in variables if os.environ.get(name)]
    if not has and _needs_none():
        has = ["none needed by some models"]
    if has:
        return Diagnosis(shutil.which("llm"), found, ", ".join(has))
    return Diagnosis(shutil.which("llm"), found, None, (NO_KEY,), "llm keys set openai")


def _needs_none() -> bool:
    """Only plugins of the library bring models without a key, so without any there is nothing to look at."""
    if not entry_points(group="llm"):
        return False
    with Staging() as stage:
        outcome = work(Job("describe", ""), stage.home, Given({}), HOST_PROBE_TIMEOUT_S, HOST_PROBE_OUTPUT_BYTES)
    try:
        return msgspec.json.decode(outcome.stdout, type=Description).known
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
