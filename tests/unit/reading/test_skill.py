"""Reading SKILL.md: what hosts see, and every case in which two of them would see something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftune_build.errors import InputError
from selftune_build.limits import SKILL_FILE_BYTES_MAX
from selftune_build.model.finding import Severity
from selftune_build.reading.skill import SkillReading, read_skill, scalar_text

PATH = "skills/pdf/SKILL.md"
GOOD = b"---\nname: pdf\ndescription: Reads forms.\nlicense: MIT\n---\n# PDF\n\nDo it.\n"


def read(content: bytes) -> SkillReading:
    return read_skill(content, PATH, "folder")


def codes(reading: SkillReading) -> list[str]:
    return [finding.code for finding in reading.findings]


def test_an_ordinary_skill_is_read_without_findings() -> None:
    reading = read(GOOD)

    assert reading.findings == ()
    assert reading.skill.name == "pdf"
    assert reading.skill.description == "Reads forms."
    assert reading.skill.frontmatter == {"name": "pdf", "description": "Reads forms.", "license": "MIT"}
    assert reading.skill.body == "# PDF\n\nDo it."
    assert reading.skill.body_line == 6


def test_keys_are_located_in_the_file_not_in_the_frontmatter() -> None:
    location = read(GOOD).locations["license"]

    assert (location.path, location.line, location.column) == (PATH, 4, 10)


def test_given_crlf_when_read_then_nothing_differs() -> None:
    assert read(GOOD.replace(b"\n", b"\r\n")) == read(GOOD)


def test_given_white_space_at_line_ends_when_read_then_the_skill_is_the_same() -> None:
    assert read(GOOD.replace(b".\n", b". \t \n") + b"\n \n\t\n").skill == read(GOOD).skill


def test_given_a_literal_block_when_its_lines_end_in_blanks_then_the_description_is_the_same() -> None:
    plain = b"---\nname: a\ndescription: |\n  one\n  two\n---\nx\n"

    assert read(plain.replace(b"one\n", b"one  \n")).skill == read(plain).skill


def test_a_folded_description_is_one_line() -> None:
    assert read(b"---\nname: a\ndescription: >-\n  one\n  two\n---\n").skill.description == "one two"


def test_given_no_frontmatter_when_read_then_the_folder_names_the_skill_and_the_hint_says_what_to_write() -> None:
    reading = read(b"# Just a page\n")
    (finding,) = reading.findings

    assert (reading.skill.name, reading.skill.description, reading.skill.body) == ("folder", "", "# Just a page")
    assert (finding.code, finding.severity) == ("frontmatter-missing", Severity.ERROR)
    assert finding.at is not None
    assert str(finding.at) == "skills/pdf/SKILL.md:1"
    assert "---" in (finding.hint or "")


def test_given_an_unquoted_colon_when_read_then_line_and_hint_point_at_it() -> None:
    reading = read(b"---\nname: pdf\ndescription: use it: now\n---\nbody\n")
    (finding,) = reading.findings

    assert (reading.skill.name, reading.skill.description) == ("folder", "")
    assert finding.code == "frontmatter-invalid"
    assert finding.at is not None
    assert finding.at.line == 3
    assert "quote" in (finding.hint or "")


def test_given_invalid_yaml_then_an_edit_of_it_still_shows_in_what_was_read() -> None:
    assert read(b"---\na: *x\n---\n").skill.body != read(b"---\na: *y\n---\n").skill.body


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"---\nname: a\ndescription: tidy --- then run\n---\nx\n", 3),
        (b"---\nname: a\n# ----- section -----\ndescription: d\n---\nx\n", 3),
        (b"---\nname: a\ndescription: |\n  one\n  ---\n  two\n---\nx\n", 5),
        (b"--- \nname: a\ndescription: d\n---\nx\n", 1),
        (b"---\nname: a\ndescription: d\n---\t\nx\n", 4),
        (b"\n---\nname: a\ndescription: d\n---\nx\n", 2),
        (b"---name: a\ndescription: d\n---\nx\n", 1),
        (b"\xef\xbb\xbf---\nname: a\ndescription: d\n---\nx\n", 1),
        (b"---\rname: a\rdescription: d\r---\rx", 1),
        (b"---\nname: a\rdescription: d\n---\nx", 2),
        (b"---\nname: a\ndescription: d ---\nx\n", 3),
    ],
    ids=["value", "comment", "block", "blank-open", "blank-close", "late", "joined", "bom", "cr", "one-cr", "unclosed"],
)
def test_where_common_readers_disagree_the_frontmatter_is_ambiguous(content: bytes, line: int) -> None:
    found = [finding for finding in read(content).findings if finding.code == "ambiguous-frontmatter"]

    assert [(finding.severity, finding.at.line) for finding in found if finding.at] == [(Severity.ERROR, line)]


def test_dashes_in_the_body_are_no_ambiguity() -> None:
    reading = read(GOOD + b"\n---\n\na --- b\n")

    assert reading.findings == ()
    assert reading.skill.body.endswith("---\n\na --- b")


def test_given_a_byte_order_mark_when_read_then_the_skill_is_still_known() -> None:
    assert read(b"\xef\xbb\xbf" + GOOD).skill == read(GOOD).skill


def test_given_no_closing_delimiter_when_read_then_it_says_so() -> None:
    assert codes(read(b"---\nname: a\n")) == ["frontmatter-unclosed"]


def test_a_list_is_no_frontmatter() -> None:
    assert codes(read(b"---\n- a\n---\nx")) == ["frontmatter-not-map"]


def test_given_an_empty_frontmatter_when_read_then_both_required_keys_are_missing() -> None:
    assert codes(read(b"---\n---\nx")) == ["name-missing", "description-missing"]


@pytest.mark.parametrize("value", [b"", b"''", b"' '", b"null", b"~"])
def test_an_empty_description_is_a_missing_one(value: bytes) -> None:
    assert codes(read(b"---\nname: a\ndescription: " + value + b"\n---\n")) == ["description-missing"]


@pytest.mark.parametrize(("value", "text"), [(b"123", "123"), (b"1.5", "1.5"), (b"true", "true")])
def test_scalars_that_are_not_text_are_taken_as_their_text(value: bytes, text: str) -> None:
    reading = read(b"---\nname: " + value + b"\ndescription: d\n---\n")

    assert reading.skill.name == text
    assert [(finding.code, finding.severity) for finding in reading.findings] == [("name-not-text", Severity.WARNING)]


@pytest.mark.parametrize("value", [b"[a]", b"{a: b}"])
def test_a_description_that_is_no_scalar_is_refused(value: bytes) -> None:
    reading = read(b"---\nname: a\ndescription: " + value + b"\n---\n")

    assert reading.skill.description == ""
    assert [(finding.code, finding.severity) for finding in reading.findings] == [("description-not-scalar", Severity.ERROR)]


def test_a_duplicate_key_is_noticed() -> None:
    assert "yaml-duplicate-key" in codes(read(b"---\nname: a\ndescription: d\nname: b\n---\n"))


def test_given_bytes_that_are_not_utf8_when_read_then_the_line_is_named_and_different_bytes_stay_different() -> None:
    one, other = read(GOOD + b"x\xff\n"), read(GOOD + b"x\xfe\n")
    (finding,) = one.findings

    assert (finding.code, finding.severity) == ("skill-not-utf8", Severity.ERROR)
    assert finding.at is not None
    assert finding.at.line == 9
    assert one.skill.name == "pdf"
    assert one.skill.body != other.skill.body


def test_utf16_is_called_by_its_name() -> None:
    (finding,) = [found for found in read(GOOD.decode().encode("utf-16")).findings if found.code == "skill-not-utf8"]

    assert "UTF-16" in finding.message


def test_nul_and_control_characters_are_located() -> None:
    reading = read(GOOD + b"a\x1b[31m\nb\0\n")

    assert [(finding.code, finding.at.line) for finding in reading.findings if finding.at] == [
        ("nul-character", 10),
        ("control-character", 9),
    ]


def test_given_a_lone_carriage_return_in_the_body_when_read_then_it_is_a_warning_and_a_line_end() -> None:
    reading = read(GOOD + b"a\rb\n")

    assert codes(reading) == ["lone-carriage-return"]
    assert reading.skill.body.endswith("a\nb")


def test_a_file_larger_than_a_text_can_be_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        read(GOOD + b"x" * SKILL_FILE_BYTES_MAX)

    assert caught.value.at is not None
    assert caught.value.at.path == PATH


def test_nesting_bombs_become_a_finding() -> None:
    assert codes(read(b"---\na: " + b"[" * 20_000 + b"\n---\n")) == ["frontmatter-invalid"]


@pytest.mark.parametrize(("value", "text"), [("a", "a"), (True, "true"), (False, "false"), (3, "3"), (1.5, "1.5")])
def test_scalars_have_a_text(value: object, text: str) -> None:
    assert scalar_text(value) == text


@pytest.mark.parametrize("value", [None, [], {}])
def test_lists_mappings_and_null_have_none(value: object) -> None:
    assert scalar_text(value) is None


_PIECES = st.sampled_from(
    [
        b"---",
        b"---\n",
        b"\n",
        b"\r",
        b"\r\n",
        b"name: a\n",
        b"description: b\n",
        b" ",
        b"\xff",
        b"\0",
        b"\xef\xbb\xbf",
        b"- x\n",
        b"{",
        b": ",
    ]
)


@given(st.lists(_PIECES | st.binary(max_size=8), max_size=20).map(b"".join))
def test_any_bytes_give_a_skill_whose_body_is_trimmed_and_encodable(content: bytes) -> None:
    reading = read(content)

    assert reading.skill.name
    assert reading.skill.description == reading.skill.description.strip()
    assert reading.skill.body == reading.skill.body.rstrip(" \t\n")
    assert "\r" not in reading.skill.body
    assert isinstance(reading.skill.body.encode(), bytes)
    assert reading.skill.description or any(finding.severity is Severity.ERROR for finding in reading.findings)


@given(st.lists(_PIECES, max_size=12).map(b"".join), st.lists(_PIECES, max_size=12).map(b"".join))
def test_without_an_ambiguity_the_first_dashes_anywhere_end_the_frontmatter(inside: bytes, body: bytes) -> None:
    content = b"---\n" + inside + b"\n---\n" + body
    reading = read(content)
    if any(finding.severity is Severity.ERROR for finding in reading.findings):
        return

    _, frontmatter, rest = content.decode().split("---", 2)
    assert "name" in frontmatter
    assert reading.skill.body.split() == rest.split()
