"""The JSON that a model was asked for: what is read, and what is no answer."""

from __future__ import annotations

import pytest

from selftune_build.engine.structured import InvalidAnswer, structured

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["keep"],
    "properties": {"keep": {"type": "boolean"}, "list": {"type": "array", "maxItems": 3}},
}


@pytest.mark.parametrize(
    "output",
    ['{"keep": true}', ' \n{"keep": true}\n', '```json\n{"keep": true}\n```', '\n```\n{\n"keep": true}\n```\n'],
)
def test_json_is_read_alone_or_in_one_fence(output: str) -> None:
    assert structured(output, SCHEMA) == {"keep": True}


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("", "not the JSON"),
        ('Here it is: {"keep": true}', "not the JSON"),
        ('```json\n{"keep": true}\n```\nAnything else?', "not the JSON"),
        ('{"keep": true} {"keep": false}', "not the JSON"),
        ('{"keep": true, "keep": false}', "not the JSON"),
        ('{"keep": NaN}', "not the JSON"),
        ('{"keep": tr', "not the JSON"),
        ("[" * 100_000, "not the JSON"),
        ('"\\ud800"', "not the JSON"),
        ("\ud800", "not the JSON"),
        ('{"keep": "yes"}', "(/keep)"),
        ('{"keep": true, "more": 1}', "does not fit the schema"),
        ('{"keep": true, "list": [1, 2, 3, 4]}', "(/list)"),
        ("[]", "(the whole answer)"),
        ("null", "(the whole answer)"),
        ('{"keep": ' + "9" * 5000 + "}", "not the JSON"),
    ],
)
def test_everything_else_is_no_answer_and_says_where(output: str, said: str) -> None:
    with pytest.raises(InvalidAnswer, match=r".") as caught:
        structured(output, SCHEMA)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 1_000
