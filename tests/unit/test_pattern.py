"""Regular expressions from strangers."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selftune_build.limits import PATTERN_SECONDS
from selftune_build.pattern import PatternError, PatternTimeout, first_match


def test_lines_have_their_own_beginning_and_end() -> None:
    assert first_match(r"^Total: \d+$", "a\nTotal: 42\nb") == (2, 11)
    assert first_match(r"\ATotal", "a\nTotal") is None
    assert first_match("total", "Total") is None
    assert first_match("total", "Total", ignore_case=True) == (0, 5)


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        "[",
        "a{2,1}",
        "*",
        "(?P<a",
        "(" * 1500 + "a" + ")" * 1500,
        "x" * 5000,
        "(?R)?a",
        "(a)(?1)",
        "(?&x)",
        "(?P>x)",
        "a{1,9999999999999}",
    ],
)
def test_patterns_that_cannot_be_used_are_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        first_match(pattern, "aaaa")


@pytest.mark.parametrize("pattern", ["((a{99}){99}){99}", "(?:(?:(?:(?:a?){40,}){40}){40}){2}", "(?:a{5}b{500}){50}"])
def test_repeats_that_multiply_beyond_measure_are_refused_before_they_are_compiled(pattern: str) -> None:
    with pytest.raises(PatternError, match="multiply"):
        first_match(pattern, "aaaa")


def test_ordinary_counts_are_fine() -> None:
    assert first_match(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}", "at 2026-01-02T03:04:05") == (3, 22)
    assert first_match(r"(?:\d{1,3}\.){3}\d{1,3}", "127.0.0.1") == (0, 9)


def test_a_search_that_takes_too_long_is_stopped() -> None:
    start = time.monotonic()
    with pytest.raises(PatternTimeout):
        first_match("((a{1,40}){1,40}){1,40}b", "a" * 100_000)
    assert time.monotonic() - start < PATTERN_SECONDS + 8


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from([*"ab()[]{}?*+|^$.,:<>=!#-&P19R\\", "(?", "(?:", "(?P<a>", "{2,3}", "\\1", "\\p{L}", "[^"]), max_size=25
    ).map("".join)
)
def test_any_pattern_is_searched_or_refused(pattern: str) -> None:
    try:
        found = first_match(pattern, "aabb(ab)19\n")
    except (PatternError, PatternTimeout):
        return
    assert found is None or 0 <= found[0] <= found[1] <= 11
