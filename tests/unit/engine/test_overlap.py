"""Overlap and composition as pure functions over what was seen."""

from __future__ import annotations

from fractions import Fraction

import pytest

from selftune_build.engine.siblings.composing import Harmony, Shift, composition
from selftune_build.engine.siblings.overlap import Claim, Overlap, families, matrix, overlaps

A, B, BOTH, NOBODY = frozenset({"a"}), frozenset({"b"}), frozenset({"a", "b"}), frozenset[str]()


def claim(owner: str, prompt: str, *samples: frozenset[str] | None) -> Claim:
    return Claim(owner, prompt, prompt, samples)


def test_a_cell_is_the_mean_over_prompts_not_over_samples() -> None:
    claims = [claim("a", "one", B, B, B, B), claim("a", "two", A)]
    cells = {(cell.owner, cell.taker): (cell.share, cell.prompts) for cell in matrix(claims, ["a", "b"])}
    assert cells == {
        ("a", "a"): (Fraction(1, 2), 2),
        ("a", "b"): (Fraction(1, 2), 2),
        ("b", "a"): (None, 0),
        ("b", "b"): (None, 0),
    }


def test_two_skills_activated_at_once_both_count() -> None:
    cells = {(cell.owner, cell.taker): cell.share for cell in matrix([claim("a", "one", BOTH, A)], ["a", "b"])}
    assert (cells["a", "a"], cells["a", "b"]) == (1, Fraction(1, 2))


def test_samples_that_do_not_tell_are_no_evidence_of_peace() -> None:
    assert claim("a", "one", None, B).share("b") == 1
    assert claim("a", "one", None).share("b") is None
    assert matrix([claim("a", "one", None)], ["a"])[0].share is None


def test_an_overlap_counts_contested_prompts_over_those_of_the_smaller() -> None:
    claims = [claim("a", "one", B), claim("a", "two", A), claim("a", "three", A), claim("b", "four", B), claim("b", "five", A)]
    (found,) = overlaps(claims, ["a", "b"])
    assert (found.share, [each.prompt for each in found.contested]) == (1, ["one", "five"])


@pytest.mark.parametrize(("contested", "pressure"), [(1, "low"), (2, "medium"), (3, "high")])
def test_pressure_goes_by_the_share(contested: int, pressure: str) -> None:
    claims = [claim("a", f"p{at}", B if at < contested else A) for at in range(5)] + [claim("b", f"q{at}", B) for at in range(5)]
    (found,) = overlaps(claims, ["a", "b"])
    assert found.pressure == pressure


def test_peace_is_no_overlap() -> None:
    assert overlaps([claim("a", "one", A, NOBODY), claim("b", "two", B)], ["a", "b"]) == ()


@pytest.mark.parametrize(
    ("links", "groups"),
    [
        ([("a", "b")], ()),
        ([("a", "b"), ("c", "d")], ()),
        ([("a", "b"), ("b", "c")], (("a", "b", "c"),)),
        ([("a", "b"), ("c", "d"), ("b", "c"), ("x", "y")], (("a", "b", "c", "d"),)),
    ],
)
def test_three_linked_skills_are_a_family(links: list[tuple[str, str]], groups: tuple[tuple[str, ...], ...]) -> None:
    assert families([Overlap(one, other, (), Fraction(1)) for one, other in links]) == groups


def shifts(*changes: tuple[int | None, int | None]) -> list[Shift]:
    return [
        Shift(str(at), "", None if alone is None else Fraction(alone), None if beside is None else Fraction(beside))
        for at, (alone, beside) in enumerate(changes)
    ]


@pytest.mark.parametrize(
    ("changes", "harmony"),
    [
        ([(1, 1)] * 3, Harmony.NONE_SEEN),
        ([(1, 0), (1, 1), (1, 1)], Harmony.SUSPECTED),
        ([(1, 0)] * 4, Harmony.SUSPECTED),
        ([(1, 0)] * 5, Harmony.CONFLICT),
        ([(1, 0)] * 5 + [(1, 1)] * 20, Harmony.CONFLICT),
        ([(1, 0)] * 6 + [(0, 1)] * 6, Harmony.SUSPECTED),
        ([(0, 1)] * 6, Harmony.NONE_SEEN),
        ([(None, 1), (1, None)], Harmony.UNKNOWN),
        ([], Harmony.UNKNOWN),
    ],
)
def test_harmony_is_what_paired_cases_show(changes: list[tuple[int | None, int | None]], harmony: Harmony) -> None:
    assert composition("a", "b", shifts(*changes), 0.95).harmony is harmony


def test_a_case_that_is_not_known_widens_the_bounds_and_changes_no_mean() -> None:
    known = composition("a", "b", shifts(*[(1, 0)] * 6), 0.95)
    open_too = composition("a", "b", shifts(*[(1, 0)] * 6, (None, 1), (None, 1)), 0.95)
    assert open_too.difference == known.difference == -1
    assert open_too.high > known.high
