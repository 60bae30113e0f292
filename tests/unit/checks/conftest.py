"""One check judged on what a sample left behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from selftune_build.checks.context import CheckContext
from selftune_build.checks.registry import judge
from selftune_build.model.case import Arm, CaseFile, Check
from selftune_build.model.sample import FileChange, Reply, ToolCall, Transcript
from selftune_build.model.verdict import CheckResult

Judge = Callable[..., CheckResult]


@pytest.fixture
def judged() -> Judge:
    """`judged(kind, params, output=…, files={path: bytes or None}, before={path: bytes}, …)`."""

    def call(
        kind: str,
        params: dict[str, Any],
        *,
        output: str = "",
        files: dict[str, bytes | None] | None = None,
        before: dict[str, bytes] | None = None,
        skills: tuple[str, ...] | None = None,
        tools: tuple[ToolCall, ...] | None = None,
        script: bool = False,
        **rest: Any,
    ) -> CheckResult:
        transcript = Transcript(
            Reply(output, skills_used=skills, tool_calls=tools),
            files=tuple(FileChange(path, content) for path, content in (files or {}).items()),
            **rest,
        )
        case_files = tuple(CaseFile(path, content) for path, content in (before or {}).items())
        return judge(Check(kind, params), transcript, CheckContext("pdf", Arm.SCRIPT if script else Arm.WITH_SKILL, case_files))

    return call
