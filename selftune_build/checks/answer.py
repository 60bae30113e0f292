"""The answer of a judge: one JSON object of the schema it was asked for, and nothing else counts."""

from __future__ import annotations

import json
import re
from typing import Any

from selftune_build.errors import InputError
from selftune_build.limits import JUDGE_ANSWER_BYTES

_FENCED = re.compile(r"\A```(?:json|JSON)?[ \t]*\n(.*)\n[ \t]*```\Z", re.DOTALL)


def read_answer(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The object: alone or in one code fence. Raises ValueError with the reason for anything else, whatever the text is."""
    from jsonschema import Draft202012Validator

    from selftune_build.reading.json_text import load

    inner = _FENCED.fullmatch(text.strip())
    try:
        data = load((inner[1] if inner else text.strip()).encode("utf-8", "replace"), "answer", limit=JUDGE_ANSWER_BYTES).data
    except InputError as error:
        raise ValueError(f"it is no JSON: {error.message}") from None
    fault = next(iter(Draft202012Validator(schema).iter_errors(data)), None)
    if fault is not None or not isinstance(data, dict):
        raise ValueError(f"it does not match the schema: {_short(fault.message) if fault else 'no object'}")
    return data


def answer_schema(**properties: dict[str, Any]) -> dict[str, Any]:
    """A closed object with all of these fields: the form that services enforce."""
    return {"type": "object", "additionalProperties": False, "required": sorted(properties), "properties": properties}


def _short(message: str) -> str:
    return json.dumps(message, ensure_ascii=True)[1:-1][:200]
