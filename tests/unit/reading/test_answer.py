"""The JSON that a model was asked for: what is read, and what is no answer."""

from __future__ import annotations

import pytest

from selftune_build.reading.answer import InvalidAnswer, structured

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["keep"],
    "properties": {"keep": {"type": "boolean"}, "list": {"type": "array", "maxItems": 3}},
}


@pytest.mark.parametrize(
    "output",
    [
        '{"keep": true}',
        ' \n{"keep": true}\n',
        '```json\n{"keep": true}\n```',
        '```JSON \n{"keep": true}\n  ```\n',
        '\n```\n{\n"keep": true}\n```\n',
    ],
)
def test_json_is_read_alone_or_in_one_fence(output: str) -> None:
    assert structured(output, SCHEMA) == {"keep": True}


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("", "not the JSON"),
        ("yes", "not the JSON"),
        ("}{", "not the JSON"),
        ("{}", "`keep` is missing"),
        ('Here it is: {"keep": true}', "not the JSON"),
        ('```json\n{"keep": true}\n```\nAnything else?', "not the JSON"),
        ('```json\n{"keep": true}\n```\n```json\n{"keep": false}\n```', "not the JSON"),
        ('{"keep": true} and that is that', "not the JSON"),
        ('\ufeff{"keep": true}', "not the JSON"),
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


@pytest.mark.parametrize(
    "output",
    [
        '{"keep": "' + "\\u001b\\n\u202e" * 5000 + '"}',
        '{"keep": true, "' + "\\u001b\u202e" * 400 + '": 1}',
        '{"\u202e": 1, "\u202e": 2}',
    ],
)
def test_the_reason_is_short_and_on_one_line(output: str) -> None:
    with pytest.raises(InvalidAnswer) as caught:
        structured(output, SCHEMA)
    assert len(str(caught.value)) < 500
    assert str(caught.value).isprintable()


def test_an_answer_is_read_up_to_a_limit() -> None:
    answer = '{"keep": true}'
    assert structured(answer, SCHEMA, limit=len(answer)) == {"keep": True}
    with pytest.raises(InvalidAnswer, match="not the JSON"):
        structured(answer, SCHEMA, limit=len(answer) - 1)
