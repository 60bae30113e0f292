"""The JSON that a model was asked for under a schema, read strictly from what it answered."""

from __future__ import annotations

import re
from typing import Any

from selftune_build.errors import InputError
from selftune_build.reading.json_text import load
from selftune_build.reading.schema_words import words

_ANSWER = "answer"
_FENCE = re.compile(r"\s*```[a-z]*[ \t]*\n(?P<content>.*)\n```\s*", re.DOTALL)


class InvalidAnswer(Exception):
    """What came back is not what was asked for: one sentence."""


def structured(output: str, schema: dict[str, Any]) -> Any:
    """The one JSON value of an answer, alone or in one code fence, where it fits the schema. Raises InvalidAnswer.

    Strict: no prose around it, no duplicate keys, no NaN, bounded in size and depth; nothing is mended.
    """
    fenced = _FENCE.fullmatch(output)
    try:
        data = load((fenced["content"] if fenced else output).encode("utf-8", "surrogatepass"), _ANSWER).data
    except InputError as error:
        raise InvalidAnswer(f"it is not the JSON that was asked for: {error.message}") from None
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    fault = best_match(Draft202012Validator(schema).iter_errors(data))
    if fault is not None:
        complaint = words(fault)
        raise InvalidAnswer(f"it does not fit the schema: {complaint.message} ({complaint.pointer or 'the whole answer'})")
    return data
