"""Asks the service: one request, one whole answer, no retry of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from types import TracebackType
from typing import Any

from selftune_agent_openai.events import Answered
from selftune_build.model.sample import ErrorKind

BODY_BYTES = 16 * 1024 * 1024
CONNECT_SECONDS = 30.0
"""How long until somebody picks up. For the answer there is the time limit of the sample alone."""


class Unanswered(Exception):
    """No answer came, for a reason of this kind."""

    def __init__(self, kind: ErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Service:
    """Chat Completions at one address."""

    def __init__(self, base_url: str, key: str | None, request: dict[str, Any]) -> None:
        import httpx2

        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._request = request
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        timeout = httpx2.Timeout(None, connect=CONNECT_SECONDS)
        self._client = httpx2.Client(headers=headers, timeout=timeout, follow_redirects=False)

    def __enter__(self) -> Service:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    def ask(self, messages: list[dict[str, Any]], **fields: Any) -> Answered:
        """The answer, word for word, whatever its status. Raises Unanswered."""
        import httpx2

        body = bytearray()
        try:
            with self._client.stream("POST", self._url, json={**self._request, **fields, "messages": messages}) as response:
                for part in response.iter_bytes():
                    body += part
                    if len(body) > BODY_BYTES:
                        raise Unanswered(ErrorKind.FLOOD, f"the service answers with more than {BODY_BYTES} bytes")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unanswered(_kind(error), f"{self._url}: {type(error).__name__}: {error}") from error
        wait = pause(response.headers.get("retry-after"), datetime.now(UTC))
        return Answered(response.status_code, bytes(body).decode("utf-8", "replace"), wait)


def pause(header: str | None, now: datetime) -> float | None:
    """The seconds that a `Retry-After` (RFC 9110, 10.2.3) asks to wait: a number, or a date."""
    if header is None:
        return None
    if header.strip().isdecimal() and header.isascii():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def program() -> str:
    """Name and version of what asks."""
    return f"selftune-agent-openai {version('selftune-agent-openai')}, httpx2 {version('httpx2')}"


def _kind(error: Exception) -> ErrorKind:
    """An answer that breaks off is none; all else never came to an answer."""
    import httpx2

    return ErrorKind.PROTOCOL if isinstance(error, httpx2.RemoteProtocolError | httpx2.DecodingError) else ErrorKind.REPORTED
