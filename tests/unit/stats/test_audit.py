"""What an audit makes of its rows: the test, exact contradictions, and how sure it finds what was invented."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, product
from math import comb

import pytest
from scipy.stats import hypergeom

from selftune_build.model.audit import Claim, Kind
from selftune_build.stats.audit import by_kind, caught, contradicted, corrected, refuted

ALPHA = 0.01


def claim(locked: int, fresh: int, n: int = 3, kind: Kind = Kind.PASSED, *, exact: bool = False, block: bool = False) -> Claim:
    """A count of a row with as many fresh samples as locked ones."""
    return Claim(kind, n, locked, n, fresh, exact, block)


def test_each_kind_is_tested_for_itself_and_the_smallest_p_is_corrected_for_their_number() -> None:
    rows = [[claim(3, 0), claim(3, 3, kind=Kind.TRIGGERED)], [claim(3, 1)], [claim(2, 2, kind=Kind.WITHOUT)]]
    results = {result.kind: result for result in by_kind(rows)}
    assert {kind: (result.rows, result.locked, result.fresh) for kind, result in results.items()} == {
        Kind.TRIGGERED: (1, 3, 3),
        Kind.PASSED: (2, 6, 1),
        Kind.WITHOUT: (1, 2, 2),
    }
    expected = hypergeom(6, 3, 3).pmf(3) * hypergeom(6, 4, 3).pmf(3)
    assert results[Kind.PASSED].p == pytest.approx(expected, rel=1e-12)
    assert corrected(by_kind(rows)) == pytest.approx(3 * expected, rel=1e-12)


def test_a_lock_that_says_less_than_comes_out_is_not_suspicious() -> None:
    assert by_kind([[claim(0, 3)]] * 9)[0].p == 1.0
    assert not refuted([[claim(0, 3)]] * 9, ALPHA)


def test_rows_whose_samples_hang_together_count_as_one_observation_each() -> None:
    together = [[claim(3, 0, block=True)]] * 6
    assert by_kind(together)[0].p == pytest.approx(0.5**6)
    assert by_kind([[claim(3, 0)]] * 6)[0].p == pytest.approx(comb(6, 3) ** -6.0)


@pytest.mark.parametrize(("locked", "fresh"), [(1, 0), (0, 1)])
def test_one_difference_of_what_repeats_exactly_is_enough_whichever_way_it_goes(locked: int, fresh: int) -> None:
    rows = [[claim(locked, fresh, 1, exact=True)], [claim(3, 3)]]
    assert contradicted(rows)
    assert refuted(rows, ALPHA)
    assert not refuted([[claim(1, 1, 1, exact=True)], [claim(3, 3)]], ALPHA)


def test_where_nothing_was_counted_nothing_is_said() -> None:
    assert corrected(by_kind([])) is None
    assert not refuted([], ALPHA)
    assert not refuted([[claim(1, 1, 1, exact=True)]], ALPHA)


@pytest.mark.parametrize(("drawn", "population", "share"), [(4, 8, "0.05"), (10, 100, "0.05"), (10, 100, "0.2"), (3, 3, "1")])
def test_of_answers_that_repeat_exactly_one_invented_row_in_the_draw_is_found(drawn: int, population: int, share: str) -> None:
    invented = max(1, -(-int(Fraction(share) * population * 100) // 100))
    chance = 1.0 - hypergeom(population, invented, drawn).pmf(0)
    found = caught([[claim(1, 1, 1, exact=True)]] * drawn, population, Fraction(share), ALPHA)
    assert (found.invented, found.chance) == (float(share), pytest.approx(chance, abs=1e-12))


def test_the_chance_to_find_inventions_is_that_of_every_way_they_can_lie() -> None:
    rows = [[claim(3, 3)], [claim(2, 2)], [claim(3, 2)], [claim(3, 3, kind=Kind.WITHOUT)], [claim(1, 1, 1, exact=True)]]
    ways = []
    for places in combinations(range(7), 3):
        forged = [
            [Claim(each.kind, each.n, each.n, each.n, 0, each.exact) for each in row] if place in places else row
            for place, row in enumerate(rows)
        ]
        ways.append(refuted(forged, ALPHA))
    assert caught(rows, 7, Fraction(3, 7), ALPHA).chance == pytest.approx(sum(ways) / len(ways), abs=0.06)


Truth = Sequence[tuple[float, float]]
"""For each row the probability that a sample passes, and that it triggers as wanted."""


def suite(chance: random.Random) -> Truth:
    """A hundred rows: most are sure, some are flaky."""
    return [(1.0, 1.0) if chance.random() < 0.6 else (chance.uniform(0.2, 0.95), chance.uniform(0.6, 1.0)) for _ in range(100)]


def held(chance: random.Random, rate: float) -> int:
    """How many of three samples hold."""
    return sum(chance.random() < rate for _ in range(3))


def audited(chance: random.Random, truth: Truth, drawn: int, invented: frozenset[int]) -> list[list[Claim]]:
    """The rows of a draw of a lock in which these rows are invented."""
    rows = []
    for place in chance.sample(range(len(truth)), drawn):
        passed, triggered = truth[place]
        if place in invented:
            counts = [(3, 0), (3, 0)]
        else:
            counts = [(held(chance, rate), held(chance, rate)) for rate in (passed, triggered)]
        rows.append([claim(*pair, kind=kind) for pair, kind in zip(counts, (Kind.PASSED, Kind.TRIGGERED), strict=True)])
    return rows


def test_honest_locks_are_refuted_in_at_most_one_of_a_hundred_audits() -> None:
    chance = random.Random(5)
    truth = suite(chance)
    alarms = sum(refuted(audited(chance, truth, 20, frozenset()), ALPHA) for _ in range(3_000))
    assert alarms <= 30


@pytest.mark.parametrize("drawn", [10, 20])
def test_a_lock_with_a_fifth_of_its_rows_invented_is_caught_as_often_as_is_said(drawn: int) -> None:
    chance = random.Random(drawn)
    truth, trials = suite(chance), 600
    said = [caught(audited(chance, truth, drawn, frozenset()), 100, Fraction(1, 5), ALPHA).chance for _ in range(60)]
    found = sum(refuted(audited(chance, truth, drawn, frozenset(chance.sample(range(100), 20))), ALPHA) for _ in range(trials))
    assert found / trials == pytest.approx(sum(said) / len(said), abs=0.06)


def test_answers_that_share_a_judge_who_wavers_do_not_raise_false_alarms() -> None:
    """The same answer each time, and a judge who says either for all of a side: samples are not exchangeable, sides are."""
    chance = random.Random(11)

    def rows(*, block: bool) -> list[list[Claim]]:
        return [[claim(3 * chance.randrange(2), 3 * chance.randrange(2), block=block)] for _ in range(10)]

    assert sum(refuted(rows(block=True), ALPHA) for _ in range(2_000)) <= 20
    assert sum(refuted(rows(block=False), ALPHA) for _ in range(2_000)) > 100


def test_every_difference_that_p_rests_on_could_be_recounted_by_hand() -> None:
    """All deals of two rows of two samples each, one of which the lock calls all good."""
    rows = [[claim(2, 0, 2)], [claim(1, 1, 2)]]
    deals = [
        sum(sample < 2 for sample in one) + sum(sample < 2 for sample in other)
        for one, other in product(combinations(range(4), 2), repeat=2)
    ]
    assert by_kind(rows)[0].p == pytest.approx(sum(total >= 3 for total in deals) / len(deals))
