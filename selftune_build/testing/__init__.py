"""Tests for plugins, as a pytest plugin: a workspace to run the real command in, and a conformance suite for each kind.

In the `conftest.py` at the root of your tests: `pytest_plugins = ["selftune_build.testing"]`. Then, in a test file::

    from selftune_build.testing import GateContract

    class TestMyGate(GateContract):
        gate = my_gate

It needs pytest: `pip install 'selftune-build[testing]'`.
"""

from __future__ import annotations

import pytest

from selftune_build.plugins.kinds import Kind

# The suites explain a failed assertion only if they are rewritten before they are imported.
pytest.register_assert_rewrite(*(f"selftune_build.testing.{kind}" for kind in Kind))

from selftune_build.stats.bounds import UNDECIDED  # noqa: E402
from selftune_build.testing.agent import AgentContract  # noqa: E402
from selftune_build.testing.check import CheckContract  # noqa: E402
from selftune_build.testing.executor import ExecutorContract  # noqa: E402
from selftune_build.testing.gate import GateContract, facts, outcome  # noqa: E402
from selftune_build.testing.mutator import MutatorContract  # noqa: E402
from selftune_build.testing.reader import ReaderContract  # noqa: E402
from selftune_build.testing.report import ReportContract  # noqa: E402
from selftune_build.testing.workspace import Finished, SkillWorkspace, skill_workspace  # noqa: E402

__all__ = [
    "UNDECIDED",
    "AgentContract",
    "CheckContract",
    "ExecutorContract",
    "Finished",
    "GateContract",
    "MutatorContract",
    "ReaderContract",
    "ReportContract",
    "SkillWorkspace",
    "facts",
    "outcome",
    "skill_workspace",
]
