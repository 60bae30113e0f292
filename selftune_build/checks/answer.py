"""The form of what a judge answers."""

from __future__ import annotations

from typing import Any


def answer_schema(**properties: dict[str, Any]) -> dict[str, Any]:
    """A closed object with all of these fields: the form that services enforce."""
    return {"type": "object", "additionalProperties": False, "required": sorted(properties), "properties": properties}
