"""What a host says of a request that the service refused, as a failure of its kind."""

from __future__ import annotations

import re

from selftune_build.agents.protocol import AgentFailure
from selftune_build.limits import HOST_MESSAGE_CHARACTERS
from selftune_build.model.sample import ErrorKind

_STATUS = re.compile(r"(?:\A|(?:unexpected|last) status:? |\"code\": ?)(\d{3})\b")
_AGAIN = re.compile(r"(?:try again|retry) (?:in|after) (\d+(?:\.\d+)?) ?(ms|s|seconds?|m|minutes?)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,9})?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}
_KINDS = {401: ErrorKind.AUTH, 403: ErrorKind.AUTH, 429: ErrorKind.RATE_LIMIT}
_NO_LOGIN = ("API key not valid", "API_KEY_INVALID")
"""How the Gemini API words a key that it does not know; its status is 400."""


def refusal(message: str, status: int | None = None, pause_s: float | None = None) -> AgentFailure:
    """The failure that a message tells of, `status` being that of the answer over HTTP and `pause_s` the pause that its headers
    ask for, where the host tells them otherwise.

    A message that says when to try again is about a rate, whatever its status.
    """
    found = _STATUS.search(message)
    code = int(found[1]) if found else status
    kind = ErrorKind.AUTH if any(words in message for words in _NO_LOGIN) else _KINDS.get(code or 0, ErrorKind.REPORTED)
    pause = _pause(message)
    if kind is ErrorKind.REPORTED and (pause is not None or "usage limit" in message):
        kind = ErrorKind.RATE_LIMIT
    text = " ".join(message.split())[:HOST_MESSAGE_CHARACTERS]
    told = pause_s if pause is None else pause
    return AgentFailure(kind, text, retry_after_s=told if kind is ErrorKind.RATE_LIMIT else None)


def seconds(header: object) -> float | None:
    """The pause that a header `Retry-After` asks for; None where it is absent or names a date, which needs a clock to be read."""
    return float(str(header)) if _NUMBER.fullmatch(str(header)) else None


def _pause(message: str) -> float | None:
    """Seconds."""
    again = _AGAIN.search(message)
    if again is None:
        return None
    unit = again[2].lower()
    return float(again[1]) * _SECONDS[unit if unit == "ms" else unit[0]]
