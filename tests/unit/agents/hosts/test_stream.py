"""Reading an answer of a host: its opening, its events, our closing line."""

from __future__ import annotations

import pytest

from selftune_build.agents.hosts.stream import CLOSING, Opening, called_names, line, parse_stream, refusals_in
from selftune_build.agents.protocol import AgentFailure
from selftune_build.model.sample import ErrorKind

OPENING = Opening("/tmp/x/root", {"pdf": ("The first line of the body.",)}, ("tea",))


def test_an_answer_is_taken_apart_whatever_stands_between_its_lines() -> None:
    raw = line(OPENING) + b'warning: x\n{"type": "a"}\n[1]\n{"broken\n\xff\xfe\n{"type": "b"}\n' + line({"type": CLOSING, "n": 1})
    stream = parse_stream(raw)
    assert stream.opening == OPENING
    assert [event["type"] for event in stream.events] == ["a", "b"]
    assert stream.closing == {"type": CLOSING, "n": 1}
    assert stream.last("b") == {"type": "b"}
    assert stream.last("c") is None


def test_an_answer_that_was_cut_by_a_kill_has_no_closing() -> None:
    assert parse_stream(line(OPENING) + b'{"type": "a"}\n{"type": "b').closing is None


@pytest.mark.parametrize("raw", [b"", b"{}\n", b"\xff", b'{"type": "a"}\n' * 2, b"[" * 100_000])
def test_an_answer_that_is_none_of_a_host_is_refused(raw: bytes) -> None:
    with pytest.raises(AgentFailure) as caught:
        parse_stream(raw)
    assert caught.value.kind is ErrorKind.PROTOCOL


def test_a_path_is_seen_from_the_workspace_by_its_name_and_by_its_token() -> None:
    assert OPENING.relative("/tmp/x/root/a/b") == OPENING.relative("{workspace}/a/b") == "a/b"
    assert OPENING.is_outside("/tmp/x/rooted")
    assert not OPENING.is_outside("/tmp/x/root/a")
    assert not OPENING.is_outside("a")


def test_a_body_is_read_where_one_of_its_lines_shows_whole() -> None:
    assert OPENING.read_in("---\nname: pdf\n  The first line of the body.\n") == {"pdf"}
    assert OPENING.read_in("SKILL.md: The first line of the body, and more\nname: pdf") == frozenset()


def test_refusals_are_found_in_the_output_of_commands() -> None:
    output = "ok\nsh: 1: cannot create /x: Permission denied\n/y: Read-only file system\nPermission denied is a phrase\n"
    assert list(refusals_in("Bash", output)) == [
        "Bash: sh: 1: cannot create /x: Permission denied",
        "Bash: /y: Read-only file system",
    ]


def test_a_name_is_called_whole_or_not() -> None:
    assert called_names("use $pdf-forms now", ["pdf", "pdf-forms"], r"\${}(?![\w-])") == ("pdf-forms",)
