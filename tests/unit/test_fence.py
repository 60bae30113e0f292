"""Fences around texts of strangers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from selftune_build.fence import fenced

TEXTS = st.text(st.characters() | st.sampled_from("<>/"), max_size=40)


def test_parts_stand_one_below_the_other_between_marks_of_their_own() -> None:
    both = fenced(("one", "a"), ("two", "b\n\tc"))
    assert both.text == f"<data {both.mark} one>\na\n</data {both.mark}>\n\n<data {both.mark} two>\nb\n\tc\n</data {both.mark}>"


@given(TEXTS, TEXTS)
def test_a_part_that_holds_the_mark_of_another_record_does_not_hold_its_own(text: str, beside: str) -> None:
    known = fenced(("answer", text), beside=beside)
    copied = fenced(("answer", known.text), beside=beside)
    assert copied.mark not in known.text


def test_what_is_told_beside_the_parts_and_their_titles_make_the_mark_too() -> None:
    marks = {fenced((title, "a"), beside=beside).mark for title in ("one", "two") for beside in ("", "b")}
    assert len(marks) == 4


def test_what_cannot_be_seen_is_replaced() -> None:
    assert "a\ufffd\ufffd\ufffdb" in fenced(("one", "a\u202e\u200b\U000e0041b")).text
