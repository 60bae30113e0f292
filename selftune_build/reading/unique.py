"""The first element of a list that stands in it twice."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


def first_repeated(items: Iterable[Any]) -> str | None:
    """Its JSON text, None where all differ; in linear time, whatever is in the list."""
    seen: set[str] = set()
    for item in items:
        text = json.dumps(item, sort_keys=True)
        if text in seen:
            return text
        seen.add(text)
    return None
