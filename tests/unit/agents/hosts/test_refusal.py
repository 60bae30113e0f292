"""What the words of a host about a refused request mean."""

from __future__ import annotations

import pytest

from selftune_build.agents.hosts import refusal, seconds
from selftune_build.model.sample import ErrorKind


@pytest.mark.parametrize(
    ("message", "status", "kind", "pause"),
    [
        ("401 no", None, ErrorKind.AUTH, None),
        ('[API Error: {"error":{"code":403,"message":"forbidden"}}]', None, ErrorKind.AUTH, None),
        ("[API Error: refused]", 401, ErrorKind.AUTH, None),
        ('{"error": {"code": 400, "message": "API key not valid."}}', None, ErrorKind.AUTH, None),
        ("429 slow down", None, ErrorKind.RATE_LIMIT, None),
        ("[API Error: Quota exceeded. Please retry in 2.5s.]", 429, ErrorKind.RATE_LIMIT, 2.5),
        ("busy\nSuggested retry after 7s.", None, ErrorKind.RATE_LIMIT, 7),
        ("last status: 429, try again in 2 minutes", None, ErrorKind.RATE_LIMIT, 120),
        ("500 broken", None, ErrorKind.REPORTED, None),
        ("Model stream ended without a finish reason.", None, ErrorKind.REPORTED, None),
        ("401 forms are filled in, try again in 3s", None, ErrorKind.AUTH, None),
    ],
)
def test_a_message_tells_a_kind_and_a_pause(message: str, status: int | None, kind: ErrorKind, pause: float | None) -> None:
    failure = refusal(message, status)
    assert (failure.kind, failure.retry_after_s) == (kind, pause)


def test_a_header_tells_the_pause_of_a_rate_limit_and_of_nothing_else() -> None:
    assert seconds("7") == 7
    assert seconds(1.5) == 1.5
    assert seconds(None) is seconds("Fri, 31 Dec 1999 23:59:59 GMT") is seconds("-1") is seconds("inf") is None
    assert refusal("slow down", 429, 7.0).retry_after_s == 7
    assert refusal("try again in 3s", 429, 7.0).retry_after_s == 3
    assert refusal("broken", 500, 7.0).retry_after_s is None


def test_a_long_message_is_cut_and_stands_on_one_line() -> None:
    assert refusal("a\n" * 1000).message == ("a " * 250)
