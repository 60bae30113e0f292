"""Checks on the answer, on stdout and on stderr."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from selftune_build.limits import CHECK_EVIDENCE_CHARACTERS
from selftune_build.model.verdict import CheckResult

Judge = Callable[..., CheckResult]


@pytest.mark.parametrize(
    ("kind", "params", "output", "held"),
    [
        ("contains", {"text": "Total: 42"}, "The Total: 42.", True),
        ("contains", {"text": "Total: 42"}, "The total: 42.", False),
        ("contains", {"text": "Total", "ignore-case": True}, "The TOTAL", True),
        ("contains", {"text": "STRASSE", "ignore-case": True}, "die Straße", True),
        ("contains", {"text": "a\nb"}, "a\r\nb", True),
        ("contains", {"text": "a\r\nb"}, "a\nb", True),
        ("contains", {"text": "x"}, "", False),
        ("not-contains", {"text": "error"}, "all fine", True),
        ("not-contains", {"text": "error"}, "an error", False),
        ("not-contains", {"text": "ERROR", "ignore-case": True}, "an error", False),
        ("regex", {"pattern": r"^Total: \d+$"}, "x\r\nTotal: 42\r\ny", True),
        ("regex", {"pattern": r"^Total: \d+$"}, "Total: many", False),
        ("regex", {"pattern": "TOTAL", "ignore-case": True}, "total", True),
        ("not-regex", {"pattern": r"\bTODO\b"}, "done", True),
        ("not-regex", {"pattern": r"\bTODO\b"}, "a TODO", False),
    ],
)
def test_text_checks(judged: Judge, kind: str, params: dict[str, object], output: str, held: bool) -> None:
    assert judged(kind, params, output=output).held is held


def test_evidence_quotes_the_place(judged: Judge) -> None:
    long = "x" * 300 + " Total: 42 " + "y" * 300
    assert judged("contains", {"text": "Total: 42"}, output="The Total: 42.").evidence == 'the answer holds "The Total: 42."'
    assert "Total: 42" in judged("contains", {"text": "Total: 42"}, output=long).evidence
    assert "Total: 42" in judged("regex", {"pattern": r"Total: \d\d"}, output=long).evidence


def test_evidence_of_a_failure_quotes_the_nearest_text(judged: Judge) -> None:
    far = "x" * 500
    assert "Total: 41" in judged("contains", {"text": "Total: 42"}, output=f"{far} Total: 41 {far}").evidence
    assert "only in other case" in judged("contains", {"text": "Total: 42"}, output=f"{far} total: 42").evidence
    assert judged("contains", {"text": "Total"}, output=" \n").evidence == "not in the answer; there is no text at all"
    assert judged("regex", {"pattern": "z"}, output="Hello there").evidence == 'no match in the answer; it starts "Hello there"'


def test_evidence_is_one_short_line_without_control_characters(judged: Judge) -> None:
    output = "\x1b[2J\u202e" + "Total\n" * 200
    evidence = judged("contains", {"text": "Total\nTotal"}, output=output).evidence
    assert evidence.isprintable()
    assert len(evidence) <= CHECK_EVIDENCE_CHARACTERS
    assert "\\u202e" in evidence


def test_a_script_is_judged_on_stdout_and_stderr(judged: Judge) -> None:
    assert judged("contains", {"text": "3"}, output="3\n", script=True).evidence == 'stdout holds "3"'
    assert judged("stderr-contains", {"text": "usage"}, stderr="usage: x", script=True).held is True
    assert judged("stderr-contains", {"text": "usage"}, output="usage: x", script=True).held is False


@pytest.mark.parametrize("kind", ["regex", "not-regex"])
def test_a_pattern_that_takes_too_long_is_not_measured(judged: Judge, kind: str) -> None:
    result = judged(kind, {"pattern": "((a{1,40}){1,40}){1,40}b"}, output="a" * 100_000)
    assert (result.held, result.evidence) == (None, "the pattern took too long on this text")


def test_a_pattern_that_cannot_be_used_is_not_measured(judged: Judge) -> None:
    assert judged("not-regex", {"pattern": "("}, output="a").held is None


@pytest.mark.parametrize(("status", "held"), [(2, True), (0, False), (-9, False), (None, None)])
def test_the_exit_status_of_a_script(judged: Judge, status: int | None, held: bool | None) -> None:
    assert judged("exit", {"status": 2}, exit_status=status, script=True).held is held


def test_the_evidence_of_an_exit_status_shows_the_end_of_stderr(judged: Judge) -> None:
    result = judged("exit", {"status": 0}, exit_status=1, stderr="Traceback\nValueError: no\n", script=True)
    assert result.evidence == "exit status 1; stderr ends: ValueError: no"
