"""What `selftune doctor` says of the library: its version, whose keys are there; no model is asked."""

from __future__ import annotations

import os
import shutil
from importlib.metadata import PackageNotFoundError, entry_points, version

from selftune_agent_llm import keys
from selftune_build.agents.hosts import Variable
from selftune_build.agents.protocol import Diagnosis

INSTALL = "pip install llm"
_NO_KEY = "llm has no key: without one only models that need none can be asked"


def diagnose() -> Diagnosis:
    """Models of plugins may need no key, so with such a plugin a missing key is no obstacle."""
    try:
        found = version("llm")
    except PackageNotFoundError:
        return Diagnosis(None, problems=("the library llm is not installed",), next_step=INSTALL)
    has = [f"{name} (llm keys)" for name in keys.kept()] + [each.name for each in keys.VARIABLES if _is_there(each)]
    ready = bool(has) or bool(entry_points(group="llm"))
    return Diagnosis(
        shutil.which("llm"),
        found,
        ", ".join(has) or None,
        () if has else (_NO_KEY,),
        None if ready else "llm keys set openai",
    )


def _is_there(variable: Variable) -> bool:
    return bool(os.environ.get(variable.name))
