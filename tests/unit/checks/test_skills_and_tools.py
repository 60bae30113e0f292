"""Checks on which skills were activated and which tools were called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from selftune_build.model.sample import ToolCall
from selftune_build.model.verdict import CheckResult

Judge = Callable[..., CheckResult]

CALLS = (
    ToolCall("Read", {"path": "in/amounts.csv"}),
    ToolCall("Bash", {"args": [{"line": "rm x\r\n"}, 7, None, True]}),
    ToolCall("Read", {}),
)


@pytest.mark.parametrize(
    ("kind", "params", "skills", "held"),
    [
        ("skill-invoked", {}, ("pdf",), True),
        ("skill-invoked", {}, ("docx",), False),
        ("skill-invoked", {"skill": "docx"}, ("docx", "pdf"), True),
        ("skill-invoked", {}, (), False),
        ("skill-invoked", {}, None, None),
        ("skill-not-invoked", {"skill": "docx"}, ("pdf",), True),
        ("skill-not-invoked", {}, ("pdf",), False),
        ("skill-not-invoked", {}, (), True),
        ("skill-not-invoked", {}, None, None),
    ],
)
def test_skill_checks(
    judged: Judge, kind: str, params: dict[str, Any], skills: tuple[str, ...] | None, held: bool | None
) -> None:
    assert judged(kind, params, skills=skills).held is held


@pytest.mark.parametrize(
    ("kind", "params", "held"),
    [
        ("tool-called", {"name": "Read"}, True),
        ("tool-called", {"name": "read"}, False),
        ("tool-called", {"name": "Read", "input-contains": "amounts"}, True),
        ("tool-called", {"name": "Read", "input-contains": "path"}, False),
        ("tool-called", {"name": "Bash", "input-contains": "rm x\n"}, True),
        ("tool-called", {"name": "Bash", "input-contains": "7"}, True),
        ("tool-called", {"name": "Bash", "input-contains": "true"}, True),
        ("tool-called", {"name": "Bash", "input-contains": "None"}, False),
        ("tool-not-called", {"name": "Write"}, True),
        ("tool-not-called", {"name": "Bash"}, False),
        ("tool-not-called", {"name": "Bash", "input-contains": "sudo"}, True),
    ],
)
def test_tool_checks(judged: Judge, kind: str, params: dict[str, Any], held: bool) -> None:
    assert judged(kind, params, tools=CALLS).held is held
    assert judged(kind, params, tools=None).held is None


def test_evidence_counts_the_calls(judged: Judge) -> None:
    assert judged("tool-called", {"name": "Write"}, tools=CALLS).evidence == "called: Read ×2, Bash"
    assert judged("tool-called", {"name": "Write"}, tools=()).evidence == "no tool was called"
    assert (
        judged("tool-called", {"name": "Read", "input-contains": "amounts"}, tools=CALLS).evidence
        == 'Read was called with "in/amounts.csv"'
    )
    assert judged("skill-invoked", {}, skills=("docx", "docx")).evidence == "activated: docx"


def test_a_deep_input_is_no_trouble(judged: Judge) -> None:
    deep: dict[str, Any] = {"end": "needle"}
    for _ in range(5000):
        deep = {"a": deep}
    assert judged("tool-called", {"name": "Read", "input-contains": "needle"}, tools=(ToolCall("Read", deep),)).held is True
