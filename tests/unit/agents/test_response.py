"""The response of an agent: one JSON object, read strictly; what is not one is refused with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from selftune_build.agents.protocol import AgentFailure
from selftune_build.agents.response import parse_response
from selftune_build.limits import RESPONSE_BYTES, RESPONSE_DEPTH, RESPONSE_ERROR_CHARACTERS, RESPONSE_LIST_LENGTH
from selftune_build.model.sample import ErrorKind, Reply, ToolCall, Usage


def parse(**fields: Any) -> Reply:
    return parse_response(json.dumps({"output": "x", **fields}).encode())


def problem(raw: bytes) -> str:
    with pytest.raises(AgentFailure) as caught:
        parse_response(raw)
    assert caught.value.kind is ErrorKind.PROTOCOL
    start, _, rest = caught.value.message.partition("the response is not valid: ")
    assert start == ""
    assert rest.isprintable()
    return rest


def test_the_whole_answer_of_the_contract_is_read() -> None:
    raw = b"""{"output": "done \\u00e4", "skills_used": ["pdf"], "files_read": ["a.md"],
      "tool_calls": [{"name": "Read", "input": {"path": "a.md", "deep": [1, 2.5, {"k": null}]}}, {"name": "Bash"}],
      "usage": {"input_tokens": 3, "output_tokens": 4, "cost_usd": 0.10}, "model": "served", "error": null, "more": 1}"""
    assert parse_response(raw) == Reply(
        output="done \u00e4",
        skills_used=("pdf",),
        files_read=("a.md",),
        tool_calls=(ToolCall("Read", {"path": "a.md", "deep": [1, 2.5, {"k": None}]}), ToolCall("Bash", {})),
        usage=Usage(3, 4, "0.1"),
        model="served",
    )


def test_what_is_missing_or_null_is_not_told_and_an_empty_list_is_told() -> None:
    nothing = Reply(output="x")
    assert parse() == parse(skills_used=None, files_read=None, tool_calls=None, usage=None, model=None) == nothing
    assert parse(skills_used=[], files_read=[], tool_calls=[]) == Reply("x", (), (), ())
    assert parse(usage={}).usage == parse(usage={"cost_usd": None, "turns": None}).usage == Usage(unpriced=True)
    assert parse(usage={"cost_usd": 0, "turns": 0}).usage == Usage(turns=0)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "it is empty"),
        (b" \n\t", "it is empty"),
        (b"no", "Expecting value, line 1 column 1"),
        (b"\xef\xbb\xbf{}", "Unexpected UTF-8 BOM"),
        (b'{"output": "x"', "Expecting ',' delimiter"),
        (b'{"output": "x"} {}', "Extra data"),
        (b"[]", "it is not a JSON object"),
        (b"null", "it is not a JSON object"),
        (b'"x"', "it is not a JSON object"),
        (b"{}", "/output is missing"),
        (b'{"output": null}', "/output is not a string"),
        (b'{"output": ["x"]}', "/output is not a string"),
        (b'{"output": "\xff"}', "it is not UTF-8 at byte 12"),
        (b'{"output": "\\ud800"}', "/output holds half of a surrogate pair"),
        (b'{"output": "\\udc00\\ud800"}', "/output holds half of a surrogate pair"),
        (b'{"output": "a\nb"}', "Invalid control character"),
        (b'{"output": "x", "output": "x"}', "the key 'output' is there twice"),
        (b'{"output": "x", "usage": {"a": 1, "a": 1}}', "the key 'a' is there twice"),
        (b'{"output": "x", "n": NaN}', "NaN is not JSON"),
        (b'{"output": "x", "n": -Infinity}', "-Infinity is not JSON"),
        (b'{"output": "x", "n": 1e999}', "a number is out of range"),
        (b'{"output": "x", "n": 1e-999}', "a number is out of range"),
        (b'{"output": "x", "usage": {"cost_usd": 1e99999999999999999999}}', "a number is out of range"),
        (b'{"output": "x", "n": ' + b"9" * 19 + b"}", "an integer has more than 18 digits"),
        (b'{"output": "x", "skills_used": "pdf"}', "/skills_used is not a list"),
        (b'{"output": "x", "files_read": ["a", 7]}', "/files_read/1 is not a string"),
        (b'{"output": "x", "tool_calls": [7]}', "/tool_calls/0 is not an object"),
        (b'{"output": "x", "tool_calls": [{}]}', "/tool_calls/0/name is not a string"),
        (b'{"output": "x", "tool_calls": [{"name": "a", "input": [1]}]}', "/tool_calls/0/input is not an object"),
        (b'{"output": "x", "tool_calls": [{"name": "a", "input": {"b": ["\\ud800"]}}]}', "/tool_calls/0/input holds half"),
        (b'{"output": "x", "usage": []}', "/usage is not an object"),
        (b'{"output": "x", "usage": {"input_tokens": -1}}', "/usage/input_tokens is not a count"),
        (b'{"output": "x", "usage": {"output_tokens": true}}', "/usage/output_tokens is not a count"),
        (b'{"output": "x", "usage": {"output_tokens": 1.0}}', "/usage/output_tokens is not a count"),
        (b'{"output": "x", "usage": {"turns": -1}}', "/usage/turns is not a count"),
        (b'{"output": "x", "usage": {"turns": "3"}}', "/usage/turns is not a count"),
        (b'{"output": "x", "usage": {"cost_usd": -0.1}}', "/usage/cost_usd is not an amount"),
        (b'{"output": "x", "usage": {"cost_usd": "1,5"}}', "/usage/cost_usd is not an amount"),
        (b'{"output": "x", "usage": {"cost_usd": 1e40}}', "/usage/cost_usd is out of range"),
        (b'{"output": "x", "model": 4}', "/model is not a string"),
    ],
)
def test_what_is_no_answer_is_refused_with_its_place(raw: bytes, words: str) -> None:
    assert problem(raw).startswith(words)


def test_nesting_is_counted_outside_of_strings_only() -> None:
    deepest = RESPONSE_DEPTH - 1
    assert (
        parse_response(b'{"output": "' + b"[" * 500 + b'\\"", "x": ' + b"[" * deepest + b"]" * deepest + b"}").output
        == "[" * 500 + '"'
    )
    assert problem(b'{"output": "x", "x": ' + b"[" * RESPONSE_DEPTH) == f"it is nested deeper than {RESPONSE_DEPTH}"
    assert problem(b"[" * 1_000_000) == f"it is nested deeper than {RESPONSE_DEPTH}"


def test_an_answer_of_the_largest_size_is_read_and_one_byte_more_is_not() -> None:
    frame = len(b'{"output": ""}')
    assert len(parse_response(b'{"output": "' + b"x" * (RESPONSE_BYTES - frame) + b'"}').output) == RESPONSE_BYTES - frame
    assert problem(b'{"output": "' + b"x" * (RESPONSE_BYTES - frame + 1) + b'"}') == f"it is longer than {RESPONSE_BYTES} bytes"


def test_lists_have_a_length() -> None:
    assert len(parse(files_read=["a"] * RESPONSE_LIST_LENGTH).files_read or ()) == RESPONSE_LIST_LENGTH
    raw = json.dumps({"output": "x", "files_read": ["a"] * (RESPONSE_LIST_LENGTH + 1)}).encode()
    assert problem(raw) == f"/files_read has more than {RESPONSE_LIST_LENGTH} items"


@pytest.mark.parametrize(
    ("written", "cost"),
    [
        ("0.1", "0.1"),
        ("1e-7", "0.0000001"),
        ("12", "12"),
        ("12.50", "12.5"),
        ('"0.030"', "0.03"),
        ("0.0", "0"),
        ("100", "100"),
        ("1E2", "100"),
    ],
)
def test_a_cost_is_kept_as_the_decimal_that_was_written(written: str, cost: str) -> None:
    reply = parse_response(f'{{"output": "x", "usage": {{"cost_usd": {written}}}}}'.encode())
    assert reply.usage == Usage(0, 0, cost)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("the service\nis  down", "the service is down"),
        ("\x1b[31mred\ud800", "?[31mred?"),
        ("", "the agent reported an error without a message"),
        ({"code": 7, "at": [1]}, '{"at": [1], "code": 7}'),
        (False, "false"),
        ("x" * 9999, "x" * RESPONSE_ERROR_CHARACTERS),
    ],
)
def test_an_error_is_told_on_one_line_whatever_its_type(error: object, message: str) -> None:
    with pytest.raises(AgentFailure) as caught:
        parse(error=error)
    assert (caught.value.kind, caught.value.message) == (ErrorKind.REPORTED, message)


def test_an_error_needs_no_output() -> None:
    with pytest.raises(AgentFailure) as caught:
        parse_response(b'{"error": "down"}')
    assert caught.value.kind is ErrorKind.REPORTED


@pytest.mark.parametrize("seconds", [0, 12, 2.5])
def test_an_error_with_a_time_to_come_back_is_a_rate_limit(seconds: float) -> None:
    with pytest.raises(AgentFailure) as caught:
        parse(error="slow down", retry_after_s=seconds)
    assert (caught.value.kind, caught.value.retry_after_s) == (ErrorKind.RATE_LIMIT, seconds)


@pytest.mark.parametrize("after", [None, -1, "12", True, [1], {}])
def test_a_time_that_is_no_number_of_seconds_is_passed_over(after: object) -> None:
    with pytest.raises(AgentFailure) as caught:
        parse(error="slow down", retry_after_s=after)
    assert (caught.value.kind, caught.value.retry_after_s) == (ErrorKind.REPORTED, None)


def test_a_time_to_come_back_without_an_error_means_nothing() -> None:
    assert parse(retry_after_s=60) == Reply("x")
