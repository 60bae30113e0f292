"""Host programs that ask a refused service again by themselves and in silence: code of ours inside them tells, and ends them."""

from __future__ import annotations

import json
from pathlib import Path

from selftune_build.agents.hosts.refusal import refusal, seconds
from selftune_build.agents.hosts.stream import Stream
from selftune_build.agents.protocol import AgentFailure

REFUSED = "selftune.refused"
"""The type of the line that says which request was refused: with `status`, `retry_after` and `message`."""
_WATCH = Path(__file__).with_name("watch.mjs")


def watched() -> dict[str, str]:
    """The variables with which a program on Node.js is watched; what it starts does not inherit them."""
    return {"NODE_OPTIONS": f"--import={_WATCH.as_uri()}"}


def refused_request(stream: Stream) -> AgentFailure | None:
    """The failure that a watched program was ended for."""
    told = stream.last(REFUSED)
    if told is None:
        return None
    status = told.get("status")
    return refusal(
        _worded(str(told.get("message"))), status if isinstance(status, int) else None, seconds(told.get("retry_after"))
    )


def _worded(body: str) -> str:
    """What the body of a refusal says to people."""
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return body
