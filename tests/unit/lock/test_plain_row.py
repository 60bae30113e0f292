"""Rows of a lock that need no second look: the same row as the parser reads, and nothing that it would not."""

from __future__ import annotations

from typing import Any

import pytest

from selftune_build.lock.plain_row import plain_row
from selftune_build.lock.rendering import row_fields
from selftune_build.lock.seal import sealed
from selftune_build.model.lock import Row

PLACE = ("pdf", "embedded", "fill", "with_skill")
DIGEST = "sha256:" + "0a" * 32
ROW = Row(DIGEST, ("pdf:body", "pdf:file:a.md"), n=3, evidence=DIGEST, triggered=2)


def fields(**other: Any) -> dict[str, Any]:
    """The fields of the row as a lock has them, some of them others, under a seal that holds."""
    return sealed({**row_fields(ROW), **other}, *PLACE)


def test_a_row_whose_seal_holds_is_read_whole() -> None:
    assert plain_row(fields(), *PLACE) == ROW
    assert plain_row(fields(observed=[], passed=0), *PLACE) == Row(DIGEST, (), 3, DIGEST, 2, 0)


@pytest.mark.parametrize(
    "other",
    [
        {"key": DIGEST + "\n"},
        {"key": DIGEST.upper()},
        {"evidence": DIGEST[:-1]},
        {"n": 0},
        {"n": True},
        {"n": 1_000_001},
        {"n": "3"},
        {"triggered": 4},
        {"triggered": -1},
        {"passed": 4},
        {"passed": None},
        {"observed": ["b", "a"]},
        {"observed": ["a", "a"]},
        {"observed": [""]},
        {"observed": "a"},
        {"extra": 1},
    ],
    ids=str,
)
def test_a_row_of_another_kind_is_left_to_the_parser_whatever_its_seal(other: dict[str, Any]) -> None:
    assert plain_row(fields(**other), *PLACE) is None


def test_so_is_one_whose_seal_does_not_hold_here() -> None:
    assert plain_row({**fields(), "n": 2}, *PLACE) is None
    assert plain_row(fields(), "pdf", "embedded", "other", "with_skill") is None
    assert plain_row({name: value for name, value in fields().items() if name != "seal"}, *PLACE) is None
    assert plain_row([], *PLACE) is None
