"""Tests for plugins, as a pytest plugin: a workspace to run the real command in, and a conformance suite for each kind.

In the `conftest.py` at the root of your tests: `pytest_plugins = ["selftune_build.testing"]`. Then, in a test file::

    from selftune_build.testing import GateContract

    class TestMyGate(GateContract):
        gate = my_gate

It needs pytest: `pip install 'selftune-build[testing]'`.
"""

from __future__ import annotations

import pytest

# The suites explain a failed assertion only if they are rewritten before they are imported.
pytest.register_assert_rewrite("selftune_build.testing.agent", "selftune_build.testing.contracts")

from selftune_build.testing.agent import AgentContract  # noqa: E402
from selftune_build.testing.contracts import (  # noqa: E402
    CheckContract,
    GateContract,
    MutatorContract,
    ReaderContract,
    ReportContract,
)
from selftune_build.testing.workspace import Finished, SkillWorkspace, skill_workspace  # noqa: E402

__all__ = [
    "AgentContract",
    "CheckContract",
    "Finished",
    "GateContract",
    "MutatorContract",
    "ReaderContract",
    "ReportContract",
    "SkillWorkspace",
    "skill_workspace",
]
