"""Text of strangers on one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftune_build.escape import one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("Grüße, 世界 🙂", "Grüße, 世界 🙂"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("safe\u202eevil\u2066", "safe\\u202eevil\\u2066"),
        ("a\u2028b\u200bc\u00a0d", "a\\u2028b\\u200bc\\xa0d"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("::error::x", "\\x3a:error::x"),
        ("so ::error::x", "so \\x3a:error::x"),
        ("C++ std::move, a::b", "C++ std::move, a::b"),
        ("a ##[add-mask]b # [c]", "a #\\x23[add-mask]b # [c]"),
        ("", ""),
    ],
)
def test_what_cannot_be_shown_is_written_as_an_escape(text: str, shown: str) -> None:
    assert one_line(text, 100) == shown


def test_long_text_is_cut_with_a_sign() -> None:
    assert one_line("x" * 20, 10) == "x" * 9 + "…"
    assert one_line("x" * 10, 10) == "x" * 10
    assert one_line("xxxx\x1b\x1b", 10) == "xxxx\\x1b…"
    assert one_line("abcdef\n", 7) == "abcdef…"


@given(st.text(), st.integers(1, 50))
def test_the_result_can_always_be_shown_and_is_never_too_long(text: str, limit: int) -> None:
    shown = one_line(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit
