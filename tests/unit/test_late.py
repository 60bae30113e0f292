"""Patterns that are compiled when they are first used."""

from __future__ import annotations

import re

import pytest

from selftune_build.late import late


def test_it_does_what_the_compiled_pattern_does() -> None:
    pattern = late("A(.)", re.IGNORECASE)
    assert [hit[1] for hit in pattern.finditer("ab Ac")] == ["b", "c"]
    assert pattern.sub("x", "ab") == "x"
    assert pattern.search("b") is None


def test_nothing_is_compiled_before() -> None:
    wrong = late("(")
    with pytest.raises(re.error):
        wrong.search("a")
