"""What a watched program said before it was ended, and with which variables it is watched."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest

from selftune_build.agents.hosts import Opening, refused_request, watched
from selftune_build.agents.hosts.stream import line, parse_stream
from selftune_build.model.sample import ErrorKind


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"error": {"message": "not now"}}', "not now"),
        ('{"error": "not now"}', '{"error": "not now"}'),
        ("<html>not now</html>", "<html>not now</html>"),
        ("[1]", "[1]"),
    ],
)
def test_a_refused_request_is_told_with_its_kind_and_pause_and_in_the_words_of_the_service(body: str, words: str) -> None:
    told = {"type": "selftune.refused", "status": 429, "retry_after": "2.5", "message": body}
    failure = refused_request(parse_stream(line(Opening()) + line(told)))
    assert failure is not None
    assert (failure.kind, failure.retry_after_s, failure.message) == (ErrorKind.RATE_LIMIT, 2.5, words)


def test_a_status_that_is_none_and_a_pause_that_is_none_are_not_believed() -> None:
    told = {"type": "selftune.refused", "status": "429", "retry_after": "soon"}
    failure = refused_request(parse_stream(line(Opening()) + line(told)))
    assert failure is not None
    assert (failure.kind, failure.retry_after_s) == (ErrorKind.REPORTED, None)


def test_without_such_a_line_nothing_was_refused() -> None:
    assert refused_request(parse_stream(line(Opening()) + line({"type": "result"}))) is None


def test_what_watches_is_part_of_the_distribution_and_leaves_the_environment() -> None:
    module = Path(unquote(watched()["NODE_OPTIONS"].removeprefix("--import=file://")))
    assert "delete process.env.NODE_OPTIONS" in module.read_text()
