"""The JSON document that a command prints under `--json`."""

from __future__ import annotations

import json
from typing import Any


def envelope(schema: str, status: int, /, **fields: Any) -> str:
    """One document without a newline at its end: its schema, whether the exit status is 0, the exit status, then the fields."""
    return json.dumps({"schema": schema, "ok": status == 0, "exit_code": status, **fields}, indent=1, allow_nan=False)
