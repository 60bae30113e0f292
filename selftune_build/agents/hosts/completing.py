"""The role `complete` in a host that was made to act: what it is told instead of how to be a coding agent."""

from __future__ import annotations

import json
from typing import Any

COMPLETE_PROMPT = "You answer one request from a program. Answer it completely and add nothing."
"""The system prompt of the role `complete`, where the one of a coding agent would get in the way."""


def with_schema(prompt: str, schema: dict[str, Any] | None) -> str:
    """The prompt, with the schema asked for in words: for a host that cannot pass it on to the model's service."""
    if schema is None:
        return prompt
    asked = json.dumps(schema, ensure_ascii=False)
    return f"{prompt}\n\nAnswer with one JSON document that matches this JSON schema, and with nothing around it:\n{asked}"
