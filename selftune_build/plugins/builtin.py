"""What is built in, as one plugin among others: an explicit list, through the same hooks."""

from __future__ import annotations

from collections.abc import Iterable

from selftune_build.agents.builtin import AGENT_TYPES
from selftune_build.agents.protocol import AgentType
from selftune_build.checks.registry import FAMILIES, Family
from selftune_build.engine.executing.protocol import ExecutorType
from selftune_build.gates.builtin import BUILTIN, Gate
from selftune_build.mutators.builtin import MUTATORS
from selftune_build.mutators.protocol import Mutator
from selftune_build.plugins.api import hookimpl
from selftune_build.reading.evals.recognise import FORMATS, Format
from selftune_build.report.format import REPORT_FORMATS, ReportFormat


@hookimpl
def selftune_agents() -> Iterable[AgentType]:
    """`embedded` and `command`."""
    return AGENT_TYPES


@hookimpl
def selftune_gates() -> Iterable[Gate]:
    """The gates that decide from rows and findings."""
    return BUILTIN


@hookimpl
def selftune_checks() -> Iterable[Family]:
    """The kinds of checks of eval files."""
    return tuple(FAMILIES.values())


@hookimpl
def selftune_readers() -> Iterable[Format]:
    """The formats of eval files that are recognised by what they hold."""
    return tuple(FORMATS.values())


@hookimpl
def selftune_mutators() -> Iterable[Mutator]:
    """`targeted` and `deterministic`."""
    return tuple(MUTATORS.values())


@hookimpl
def selftune_executors() -> Iterable[ExecutorType]:
    """None: without one the build takes its samples itself."""
    return ()


@hookimpl
def selftune_reports() -> Iterable[ReportFormat]:
    """The formats of `--report`."""
    return REPORT_FORMATS
