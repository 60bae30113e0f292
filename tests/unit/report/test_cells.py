"""Text measured in terminal cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftune_build.report.cells import cells, pad, paint, wrap


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("", 0)])
def test_wide_characters_take_two_cells_and_marks_none(text: str, width: int) -> None:
    assert cells(text) == width


def test_padding_counts_cells_not_characters() -> None:
    assert (pad("日", 4), pad("日", 4, right=True), pad("abcd", 2)) == ("日  ", "  日", "abcd")


def test_an_unknown_style_is_no_colour() -> None:
    assert (paint("x", "pass", True), paint("x", "pass", False), paint("x", "odd", True)) == ("\x1b[32mx\x1b[0m", "x", "x")


def test_wrapping_keeps_words_and_cuts_those_that_are_too_long() -> None:
    assert wrap("one two three", 7) == ["one two", "three"]
    assert wrap("abcdefgh", 4, "  ") == ["ab", "  cd", "  ef", "  gh"]


@given(st.text(alphabet="ab 日\u0301", max_size=60), st.integers(4, 30))
def test_no_line_is_wider_than_asked_and_no_letter_is_lost(text: str, width: int) -> None:
    lines = wrap(text, width, "  ")
    assert max(map(cells, lines)) <= width
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
