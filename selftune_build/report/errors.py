"""The one renderer of errors: what happened, where, what to do."""

from __future__ import annotations

import json
from typing import Any

from selftune_build.errors import SelftuneError
from selftune_build.escape import one_line
from selftune_build.limits import MESSAGE_CHARACTERS

ERROR_SCHEMA = "selftune.error/1"


def render_text(error: SelftuneError) -> str:
    """The error as at most three lines, whatever characters its parts hold."""
    lines = [f"error: {_line(error.message)}"]
    if error.at is not None:
        lines.append(f"  at {_line(str(error.at))}")
    if error.hint is not None:
        lines.append(f"  fix: {_line(error.hint)}")
    return "\n".join(lines)


def render_json(error: SelftuneError) -> str:
    """The error as one JSON document, for callers that asked for `--json`."""
    place = error.at
    details: dict[str, Any] = {
        "code": error.code,
        "message": _line(error.message),
        "path": place.path if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "pointer": place.pointer if place else None,
        "fix": _line(error.hint) if error.hint is not None else None,
    }
    return json.dumps({"schema": ERROR_SCHEMA, "ok": False, "exit_code": error.exit_status, "error": details})


def _line(text: str) -> str:
    return one_line(text, MESSAGE_CHARACTERS)
