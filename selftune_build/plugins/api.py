"""Every name that a plugin may use. What is not here may change in any release."""

from __future__ import annotations

import pluggy

from selftune_build.agents.protocol import (
    Agent,
    AgentFailure,
    AgentSettings,
    AgentType,
    CompleteRequest,
    RunRequest,
    StagedSkill,
    Traits,
    Workspace,
)
from selftune_build.checks.context import CheckContext, decided, failed, held, left_files, not_measured, read_file
from selftune_build.checks.registry import Family
from selftune_build.engine.executing.protocol import Executor, ExecutorType
from selftune_build.environment import child_environment
from selftune_build.errors import InputError, UndecidedError
from selftune_build.gates.builtin import Gate, minimum_of
from selftune_build.gates.facts import Facts, Look
from selftune_build.gates.outcomes import CaseOutcome
from selftune_build.model.case import Arm, Case, CaseFile, Check, Origin
from selftune_build.model.detail import PackageDetail
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.model.manifest import AgentDefinition, GateSetting
from selftune_build.model.report import PackageReport, Report, StageReport
from selftune_build.model.sample import ErrorKind, EvidenceOrigin, Reply, Sample, ToolCall, Transcript, Usage
from selftune_build.model.shown import ShownCase, ShownCheck, ShownSample
from selftune_build.model.statistics import Against, Change, Compared
from selftune_build.model.verdict import CheckResult, Verdict
from selftune_build.mutators.protocol import CaseEvidence, Consultation, Edit, Mutator, Overlay, PackageView, Question
from selftune_build.plugins.kinds import API_VERSION, PROJECT
from selftune_build.plugins.worker import work
from selftune_build.process import run as run_process
from selftune_build.reading.evals.recognise import Format
from selftune_build.reading.evals.source import EvalReading, Source
from selftune_build.report.format import ReportFormat
from selftune_build.stats.bounds import Bounds
from selftune_build.stats.decision import Decision

hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin as the implementation of the hook it is named after."""

__all__ = [
    "API_VERSION",
    "Against",
    "Agent",
    "AgentDefinition",
    "AgentFailure",
    "AgentSettings",
    "AgentType",
    "Arm",
    "Bounds",
    "Case",
    "CaseEvidence",
    "CaseFile",
    "CaseOutcome",
    "Change",
    "Check",
    "CheckContext",
    "CheckResult",
    "Compared",
    "CompleteRequest",
    "Consultation",
    "Decision",
    "Edit",
    "ErrorKind",
    "EvalReading",
    "EvidenceOrigin",
    "Executor",
    "ExecutorType",
    "Facts",
    "Family",
    "Finding",
    "Format",
    "Gate",
    "GateSetting",
    "InputError",
    "Location",
    "Look",
    "Mutator",
    "Origin",
    "Overlay",
    "PackageDetail",
    "PackageReport",
    "PackageView",
    "Question",
    "Reply",
    "Report",
    "ReportFormat",
    "RunRequest",
    "Sample",
    "Severity",
    "ShownCase",
    "ShownCheck",
    "ShownSample",
    "Source",
    "StageReport",
    "StagedSkill",
    "ToolCall",
    "Traits",
    "Transcript",
    "UndecidedError",
    "Usage",
    "Verdict",
    "Workspace",
    "child_environment",
    "decided",
    "failed",
    "held",
    "hookimpl",
    "left_files",
    "minimum_of",
    "not_measured",
    "read_file",
    "run_process",
    "work",
]
