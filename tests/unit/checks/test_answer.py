"""Answers of judges: one object of the schema asked for, and nothing else counts."""

from __future__ import annotations

import pytest

from selftune_build.checks.answer import read_answer
from selftune_build.checks.sentence import SCHEMA


@pytest.mark.parametrize(
    "text",
    [
        '{"evidence": "it says 42", "holds": true}',
        ' \n{"holds": true, "evidence": "it says 42"}\n',
        '```json\n{"evidence": "it says 42", "holds": true}\n```',
        '```\n{"evidence": "it says 42", "holds": true}\n```\n',
    ],
)
def test_an_object_alone_or_in_one_code_fence_is_an_answer(text: str) -> None:
    assert read_answer(text, SCHEMA) == {"evidence": "it says 42", "holds": True}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yes",
        "true",
        "[]",
        "{}",
        "}{",
        '{"holds": true}',
        '{"evidence": "x", "holds": "true"}',
        '{"evidence": "x", "holds": 1}',
        '{"evidence": "x", "holds": true, "more": 1}',
        '{"evidence": "x", "holds": false, "holds": true}',
        'Sure! {"evidence": "x", "holds": true}',
        '{"evidence": "x", "holds": true} and that is that',
        '{"evidence": "x", "holds": true}\n{"evidence": "x", "holds": false}',
        '```json\n{"evidence": "x", "holds": true}\n```\n```json\n{"evidence": "x", "holds": false}\n```',
        '{"evidence": "x", "holds": NaN}',
        "[" * 5000 + "{" * 5000 + "}",
        '{"evidence": "\\ud800", "holds": true}',
        '\ufeff{"evidence": "x", "holds": true}',
        '{"evidence": "' + "x" * (2 << 20) + '", "holds": true}',
    ],
)
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        read_answer(text, SCHEMA)


def test_the_reason_is_short_and_on_one_line() -> None:
    with pytest.raises(ValueError) as caught:
        read_answer('{"evidence": "x", "holds": "' + "\x1b\n" * 5000 + '"}', SCHEMA)
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()
