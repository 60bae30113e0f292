"""The JSON that a model was asked for under a schema, read strictly from what it answered."""

from __future__ import annotations

import re
from typing import Any

from selftune_build.errors import InputError
from selftune_build.escape import one_line
from selftune_build.late import late
from selftune_build.limits import CHECK_EVIDENCE_CHARACTERS, JSON_BYTES, NAME_CHARACTERS
from selftune_build.reading.json_text import load

_ANSWER = "answer"
_FENCE = late(r"\s*```[A-Za-z]*[ \t]*\n(?P<content>.*)\n[ \t]*```\s*", re.DOTALL)


class InvalidAnswer(Exception):
    """What came back is not what was asked for: one sentence, safe to show."""


def structured(output: str, schema: dict[str, Any], *, limit: int = JSON_BYTES) -> Any:
    """The one JSON value of an answer, alone or in one code fence, where it fits the schema. Raises InvalidAnswer.

    Strict: no prose around it, no duplicate keys, no NaN, at most `limit` bytes and bounded in depth; nothing is mended.
    """
    fenced = _FENCE.fullmatch(output)
    content = fenced["content"] if fenced else output
    try:
        data = load(content.encode("utf-8", "surrogatepass"), _ANSWER, limit=limit).data
    except InputError as error:
        said = one_line(error.message, CHECK_EVIDENCE_CHARACTERS)
        raise InvalidAnswer(f"it is not the JSON that was asked for: {said}") from None
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    from selftune_build.reading.schema_words import words

    fault = best_match(Draft202012Validator(schema).iter_errors(data))
    if fault is not None:
        complaint = words(fault)
        said, where = one_line(complaint.message, CHECK_EVIDENCE_CHARACTERS), one_line(complaint.pointer, NAME_CHARACTERS)
        raise InvalidAnswer(f"it does not fit the schema: {said} ({where or 'the whole answer'})")
    return data
