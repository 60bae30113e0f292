"""Files as they should be, scores of scripts, what a run used up, and the order of tools."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from selftune_build.checks.context import CheckContext, Command, CommandEnd
from selftune_build.checks.registry import judge
from selftune_build.checks.score import score_in
from selftune_build.model.case import Arm, Check
from selftune_build.model.sample import Reply, ToolCall, Transcript, Usage
from selftune_build.model.verdict import CheckResult

Judge = Callable[..., CheckResult]


def test_a_snapshot_tells_how_the_file_differs(judged: Judge) -> None:
    check = {"path": "r.md", "text": "# Report\nTotal: 42\nend\n"}
    assert judged("file-equals", check, files={"r.md": b"# Report\r\nTotal: 42\r\nend\r\n"}).held is True
    result = judged("file-equals", check, files={"r.md": b"# Report\nTotal: 41\nend\n"})
    assert result == CheckResult(False, "r.md differs: at line 2: -Total: 42 | +Total: 41")
    assert judged("file-equals", check, files={"r.md": b"# Report\nTotal: 42\nend"}).held is False
    assert judged("file-equals", check, files={"r.md": None}).evidence == "no file r.md"


def test_a_diff_shows_lines_that_look_like_its_own_heads_and_says_where_long_lines_differ(judged: Judge) -> None:
    dashes = judged("file-equals", {"path": "a", "text": "-- x\n"}, files={"a": b"++ y\n"})
    assert dashes.evidence == "a differs: at line 1: --- x | +++ y"
    long = judged("file-equals", {"path": "a", "text": "x" * 2000}, files={"a": b"x" * 1999})
    assert long == CheckResult(False, "a differs: at line 1: after 1000 characters of it")


def test_a_snapshot_of_bytes_tells_where_they_differ(judged: Judge) -> None:
    check = {"path": "p.png", "base64": base64.b64encode(b"\x89PNG\xff").decode()}
    assert judged("file-equals", check, files={"p.png": b"\x89PNG\xff"}).held is True
    result = judged("file-equals", check, files={"p.png": b"\x89PNG\xfe!"})
    assert result == CheckResult(False, "p.png differs at byte 4: 5 bytes were expected, it has 6")


def test_a_diff_of_huge_files_is_cut_and_not_waited_for(judged: Judge) -> None:
    wanted = "".join(f"{i % 7}\n" for i in range(200_000))
    left = "".join(f"{i % 5}\n" for i in range(200_000)) + "x" * 3_000_000
    assert judged("file-equals", {"path": "a", "text": wanted}, files={"a": left.encode()}).held is False


@pytest.mark.parametrize(
    ("stdout", "score"),
    [
        ("0.8", "0.8"),
        ("1", "1"),
        ('{"score": 0.75, "reason": "three of four"}', "0.75"),
        ('loading\n{"score": 0}\n', "0"),
        ('{\n "score": 0.5\n}\n', "0.5"),
        ("", None),
        ("true", None),
        ('{"score": true}', None),
        ("1.01", None),
        ("-0.1", None),
        ("NaN", None),
        ('{"score": "1"}', None),
        ('{"score": 1, "score": 0}', None),
        ('{"score": 1e999999999}', None),
        ("[" * 100_000, None),
        ("9" * 100_000, None),
    ],
)
def test_a_score_is_a_json_number_from_0_to_1(stdout: str, score: str | None) -> None:
    found = score_in(stdout)
    assert (None if found is None else str(found.value)) == score


def scored(stdout: str, status: int | None = 0, least: str = "0.8") -> CheckResult:
    asked: list[Command] = []

    def execute(command: Command) -> CommandEnd:
        asked.append(command)
        return CommandEnd(status, stdout, reason="" if status is not None else "it did not end within 60 s")

    check = Check("score", {"run": ["python3", "grade.py"], "min": least}, files=("grade.py",))
    result = judge(check, Transcript(Reply("the answer")), CheckContext("pdf", Arm.WITH_SKILL, execute=execute))
    assert (asked[0].argv, asked[0].package_files, asked[0].stdin) == (("python3", "grade.py"), ("grade.py",), b"the answer")
    return result


def test_a_score_is_held_against_what_is_asked_without_rounding() -> None:
    result = scored('{"score": 0.8, "reason": "4 of 5"}')
    assert result == CheckResult(True, "score 0.8, at least 0.8 is asked: 4 of 5")
    assert scored("0.7999999999999999999").held is False
    assert scored("0.30000000000000004", least="0.3").held is True


def test_a_script_that_breaks_says_nothing_about_the_skill() -> None:
    assert scored("0.9", status=1) == CheckResult(None, "the script ended with exit status 1")
    assert scored("0.9", status=None).held is None
    assert scored("all good").held is None


def spent(kind: str, params: dict[str, Any], usage: Usage | None = None, milliseconds: int | None = None) -> CheckResult:
    transcript = Transcript(Reply("", usage=usage), milliseconds=milliseconds)
    return judge(Check(kind, params), transcript, CheckContext("pdf", Arm.WITH_SKILL))


USAGE = Usage(800, 200, "0.1", turns=3)


@pytest.mark.parametrize(
    ("kind", "enough", "short", "evidence"),
    [
        ("max-turns", {"value": 3}, {"value": 2}, "it took 3 turns, at most 2 are asked"),
        ("max-tokens", {"value": 1000}, {"value": 999}, "it took 1000 tokens, at most 999 are asked"),
        ("max-cost", {"usd": "0.1"}, {"usd": "0.09"}, "it cost 0.1 USD, at most 0.09 USD are asked"),
        ("max-seconds", {"value": 2}, {"value": 1}, "it took 1.5 s, at most 1 s are asked"),
    ],
)
def test_a_ceiling_is_held_up_to_its_value(kind: str, enough: dict[str, Any], short: dict[str, Any], evidence: str) -> None:
    assert spent(kind, enough, USAGE, 1500).held is True
    assert spent(kind, short, USAGE, 1500) == CheckResult(False, evidence)


@pytest.mark.parametrize("usage", [None, Usage(unpriced=True)])
@pytest.mark.parametrize(
    ("kind", "params"),
    [("max-turns", {"value": 9}), ("max-tokens", {"value": 9}), ("max-cost", {"usd": "9"}), ("max-seconds", {"value": 9})],
)
def test_what_the_agent_does_not_tell_is_not_measured(kind: str, params: dict[str, Any], usage: Usage | None) -> None:
    assert spent(kind, params, usage).held is None


def test_an_agent_that_is_free_costs_nothing() -> None:
    assert spent("max-cost", {"usd": "0"}, Usage(1, 1, "0")).held is True


CALLS = tuple(ToolCall(name, {"command": f"run {name}"}) for name in ("Skill", "Read", "Bash", "Read", "Write"))


@pytest.mark.parametrize(
    ("kind", "params", "held"),
    [
        ("tool-count", {"name": "Read", "min": 2}, True),
        ("tool-count", {"name": "Read", "max": 1}, False),
        ("tool-count", {"name": "Edit", "max": 0}, True),
        ("tool-count", {"name": "Bash", "min": 1, "max": 1}, True),
        ("tool-order", {"names": ["Read", "Read"]}, True),
        ("tool-order", {"names": ["Bash", "Write"]}, True),
        ("tool-order", {"names": ["Write", "Bash"]}, False),
        ("tool-order", {"names": ["Skill", "Write"]}, True),
        ("tool-sequence", {"names": ["Read", "Bash", "Read", "Write"]}, True),
        ("tool-sequence", {"names": ["Skill", "Read", "Bash", "Read", "Write"]}, True),
        ("tool-sequence", {"names": ["Read", "Bash", "Write"]}, False),
        ("tool-called", {"name": "Bash", "arguments": {"/command": "^run B"}}, True),
        ("tool-called", {"name": "Bash", "arguments": {"/command": "^B"}}, False),
        ("tool-called", {"name": "Bash", "arguments": {"/none": ""}}, False),
        ("tool-called", {"name": "Bash", "arguments": {"/command": "run"}, "input-contains": "Bash"}, True),
        ("tool-not-called", {"name": "Bash", "arguments": {"/command": "rm -rf"}}, True),
    ],
)
def test_how_tools_were_called(judged: Judge, kind: str, params: dict[str, Any], held: bool) -> None:
    result = judged(kind, params, tools=CALLS)
    assert (result.held, bool(result.evidence)) == (held, True)
    assert judged(kind, params, tools=None).held is None


def test_a_pattern_that_takes_too_long_on_an_argument_is_not_measured(judged: Judge) -> None:
    calls = tuple(ToolCall("Bash", {"command": "a" * 60 + "!"}) for _ in range(50))
    assert judged("tool-called", {"name": "Bash", "arguments": {"/command": "^(a|a)*$"}}, tools=calls).held is None
