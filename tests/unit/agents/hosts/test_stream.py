"""Reading an answer of a host: its opening, its events, our closing line."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from selftune_build.agents.hosts.stream import CLOSING, Opening, called_names, line, opening_of, parse_stream, refusals_in
from selftune_build.agents.protocol import AgentFailure, RunRequest, StagedSkill
from selftune_build.agents.staging import SkillSource, Staging
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.model.package import TreeFile
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


def test_numbered_lines_are_the_same_lines() -> None:
    for printed in ("     1\tThe first line of the body.", "12:The first line of the body.", "  3  The first line of the body."):
        assert OPENING.read_in(printed) == {"pdf"}


def opened(**bodies: str) -> Opening:
    sources = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in bodies.items():
            root = Path(folder) / name
            root.mkdir()
            (root / "SKILL.md").write_text(text)
            content = text.encode()
            file = TreeFile("SKILL.md", digest_bytes(content), len(content))
            sources[name] = SkillSource(name, root, (file,))
        with Staging((), sources) as stage:
            stage.place_all()
            skills = tuple(StagedSkill(name, "") for name in bodies)
            request = RunRequest("sha256:0", "p", stage, skills, None, 0, 1, 1)
            opening = opening_of(request, lambda prompt, names: ())
            assert stage.touched() == frozenset()
            return opening


def test_a_line_that_two_skills_share_tells_neither() -> None:
    shared = "---\nname: x\n---\n\n# Overview of it\n\n"
    opening = opened(one=f"{shared}The one and only.\n", two=f"{shared}Another one, not the same.\n")
    assert opening.skills == {"one": ("The one and only.",), "two": ("Another one, not the same.",)}
    assert opening.read_in("# Overview of it") == frozenset()


def test_short_and_missing_bodies_are_told_by_what_there_is() -> None:
    opening = opened(short="---\nname: short\n---\nok\n", none="---\nname: none\n---\n", plain="No head at all.\n")
    assert opening.skills == {"short": ("ok",), "none": ("name: none",), "plain": ("No head at all.",)}


def test_refusals_are_found_in_the_output_of_commands() -> None:
    output = (
        "ok\nsh: 1: cannot create /x: Permission denied\n/y: Read-only file system\nPermission denied is a phrase\n"
        "PermissionError: [Errno 13] Permission denied: '/z'\n"
    )
    assert list(refusals_in("Bash", output)) == [
        "Bash: sh: 1: cannot create /x: Permission denied",
        "Bash: /y: Read-only file system",
        "Bash: PermissionError: [Errno 13] Permission denied: '/z'",
    ]


def test_a_name_is_called_whole_or_not() -> None:
    assert called_names("use $pdf-forms now", ["pdf", "pdf-forms"], r"\${}(?![\w-])") == ("pdf-forms",)
