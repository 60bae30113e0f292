"""Simulated suites with known true rates: how often the gates and comparisons are wrong, and what the comparisons cost.

`python -m tests.benchmarks.simulation` prints the tables; `test_simulation.py` asserts what docs/statistics.md promises. Suites
of every size from 3 to 40, 10,000 of each at every point, with the product's own decisions, tabulated by counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from math import ceil, floor, log

import numpy as np
from numpy.typing import NDArray

from selftune_build.model.verdict import Verdict
from selftune_build.stats.level import shown
from selftune_build.stats.paired import above, below
from selftune_build.stats.rate import rate_verdict
from selftune_build.stats.sequential import ALPHA, MARGIN, evidence

SIZES = range(3, 41)
SUITES = 10_000
SAMPLES = 3
ROUNDS = 9
CONFIDENCE = 0.95
SEED = 20261126
Counts = NDArray[np.int64]

# How the rates of the cases of a suite lie around a mean: every case alike, every case sure, or three kinds of cases.
POPULATIONS: dict[str, Callable[[float], list[tuple[float, float]]]] = {
    "alike": lambda mean: [(1.0, mean)],
    "sure": lambda mean: [(mean, 1.0), (1.0 - mean, 0.0)],
    "mixed": lambda mean: [(0.5, mean), (mean / 2, 1.0), ((1.0 - mean) / 2, 0.0)],
}


@dataclass(frozen=True)
class Point:
    """One kind of suite and how often 10,000 of them were decided wrongly."""

    what: str
    size: int
    population: str
    minimum: float
    true: float
    wrong: float
    decided: float


def case_counts(population: str, mean: float, samples: int = SAMPLES) -> NDArray[np.float64]:
    """How likely each number of samples is to hold, of one case drawn from a population."""
    weights = [weight * _binomial(samples, rate) for weight, rate in POPULATIONS[population](mean)]
    return np.sum(weights, axis=0)


def _binomial(n: int, rate: float) -> NDArray[np.float64]:
    from scipy.stats import binom

    return np.asarray(binom.pmf(range(n + 1), n, rate))


# Rates: trigger-recall, trigger-specificity, task-pass-rate.

MINIMUMS = (0.5, 0.6, 0.8, 0.9)
RATES = (0.3, 0.4, 0.5, 0.55, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def rate_points(rng: np.random.Generator) -> Iterator[Point]:
    """The rate gates with three samples of each case."""
    for size, (name, mean) in product(SIZES, product(POPULATIONS, RATES)):
        chances = case_counts(name, mean)
        held = rng.multinomial(size, chances / chances.sum(), SUITES) @ np.arange(SAMPLES + 1)
        for minimum in MINIMUMS:
            verdicts = _rate_verdicts(size, minimum)[held]
            wrong = (verdicts == 1) if mean <= minimum else (verdicts == -1)
            at_the_minimum = mean == minimum
            errors = [np.mean(verdicts == 1), np.mean(verdicts == -1)] if at_the_minimum else [np.mean(wrong)]
            yield Point("rate", size, name, minimum, mean, float(max(errors)), float(np.mean(verdicts != 0)))


def exact_rate_errors() -> Iterator[Point]:
    """The same errors without chance, by convolution, where they are largest: at the minimum itself."""
    for (name, minimum), size in product(product(POPULATIONS, MINIMUMS), SIZES):
        chances, one = np.ones(1), case_counts(name, minimum)
        for _ in range(size):
            chances = np.convolve(chances, one)
        verdicts = _rate_verdicts(size, minimum)
        errors = [float(chances[verdicts == wrong].sum()) for wrong in (1, -1)]
        yield Point("rate", size, name, minimum, minimum, max(errors), sum(errors))


@cache
def _rate_verdicts(size: int, minimum: float) -> Counts:
    """1 pass, -1 fail, 0 inconclusive, by samples that held of SAMPLES·size."""
    return np.array([_number(_rate_verdict(Fraction(k, SAMPLES), size, minimum)) for k in range(SAMPLES * size + 1)])


def _rate_verdict(held: Fraction, size: int, minimum: float) -> Verdict:
    return rate_verdict(floor(held), ceil(held), size, minimum, CONFIDENCE)


def _number(verdict: Verdict) -> int:
    return {Verdict.PASS: 1, Verdict.FAIL: -1, Verdict.INCONCLUSIVE: 0}[verdict]


# Lift: the same cases with and without the skill.

LIFT_MINIMUMS = (0.0, 0.05, 0.2)
LIFTS = (-0.2, -0.1, 0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
BASE = 0.4


def lift_points(rng: np.random.Generator) -> Iterator[Point]:
    """The lift gate with three samples of each case in each arm, from a baseline of 0.4."""
    for size, (name, lift) in product(SIZES, product(POPULATIONS, LIFTS)):
        chances = _difference_chances(name, lift)
        drawn = rng.multinomial(size, chances, SUITES)
        steps = np.arange(-SAMPLES, SAMPLES + 1)
        gains, losses = drawn @ np.maximum(steps, 0), drawn @ np.maximum(-steps, 0)
        for minimum in LIFT_MINIMUMS:
            verdicts = np.array([_lift_verdict(int(w), int(x), size, minimum) for w, x in zip(gains, losses, strict=True)])
            passed, failed = float(np.mean(verdicts == 1)), float(np.mean(verdicts == -1))
            wrong = max(passed if lift <= minimum else 0.0, failed if lift >= minimum else 0.0)
            yield Point("lift", size, name, minimum, lift, wrong, passed + failed)


def _difference_chances(name: str, lift: float) -> NDArray[np.float64]:
    """How likely each difference of counts is, in a case whose arms are drawn independently."""
    now, then = case_counts(name, BASE + lift), case_counts(name, BASE)
    chances = np.convolve(now, then[::-1])
    return np.asarray(chances / chances.sum())


@cache
def _lift_verdict(gains: int, losses: int, size: int, minimum: float) -> int:
    if shown(above(gains // SAMPLES, -(-losses // SAMPLES), size, minimum), CONFIDENCE):
        return 1
    return -int(shown(below(-(-gains // SAMPLES), losses // SAMPLES, size, minimum), CONFIDENCE))


# Comparisons: the same suite again, looked at after every round.

DESIGNS = ((0.9, 0.7), (0.8, 0.6), (0.7, 0.5), (0.6, 0.4))
"""Mean rates then and, where it is worse, now."""
BETWEEN = (0.05, 0.1, 0.15)
BOUND = log(1.0 / ALPHA)


@dataclass(frozen=True)
class Boundary:
    """For one number of samples in each case: by samples that held then, how many now are worse, not worse, better."""

    worse: Counts
    """At most so many are worse."""
    not_worse: Counts
    """At least so many are not worse by the margin."""
    better: Counts


@cache
def boundary(size: int, n_now: int, n_then: int) -> Boundary:
    """The decisions of the product by counts; each is monotone in what held now."""
    sizes, mirrored = (((n_now, n_then), size),), (((n_then, n_now), size),)
    most = size * n_now

    def is_worse(now: int, then: int) -> bool:
        return evidence(now, then, sizes, 0.0, MARGIN) >= BOUND

    def is_not_worse(now: int, then: int) -> bool:
        return evidence(then, now, mirrored, MARGIN, MARGIN) >= BOUND

    def is_better(now: int, then: int) -> bool:
        return evidence(then, now, mirrored, 0.0, MARGIN) >= BOUND

    thens = range(size * n_then + 1)
    return Boundary(
        np.array([_first(lambda now, then=then: not is_worse(now, then), most) - 1 for then in thens]),
        np.array([_first(lambda now, then=then: is_not_worse(now, then), most) for then in thens]),
        np.array([_first(lambda now, then=then: is_better(now, then), most) for then in thens]),
    )


def _first(holds: Callable[[int], bool], most: int) -> int:
    """The smallest number up to `most` for which it holds, given that it then holds for all larger ones; else one more."""
    low, high = 0, most + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


@dataclass(frozen=True)
class Suites:
    """SUITES suites of one size: how many cases of each kind each has, and the rates of the kinds."""

    members: Counts
    rates: NDArray[np.float64]

    def rounds(self, rng: np.random.Generator, rounds: int) -> Counts:
        """Samples that held after each of so many rounds."""
        new = rng.binomial(self.members[:, None, :], self.rates, (len(self.members), rounds, len(self.rates)))
        return np.asarray(np.cumsum(new.sum(axis=2), axis=1))


def suites_of(rng: np.random.Generator, size: int, population: str, mean: float) -> Suites:
    """Draw the cases of each suite from a population."""
    weights, rates = (np.array(each) for each in zip(*POPULATIONS[population](mean), strict=True))
    return Suites(rng.multinomial(size, weights / weights.sum(), SUITES), rates)


@dataclass(frozen=True)
class Compared:
    """How 10,000 comparisons ended, and the mean number of rounds they took."""

    worse: float
    not_worse: float
    differed: float
    """Ever called worse or better, also after another decision."""
    rounds: float


def run_rounds(now: Counts, then: Counts, bounds: Sequence[Boundary]) -> Compared:
    """Look after every round and stop at the first decision."""
    suites, rounds = now.shape
    verdict, when = np.zeros(suites, int), np.full(suites, rounds)
    differed = np.zeros(suites, bool)
    for index, bound in enumerate(bounds):
        x, y = now[:, index], then[:, index]
        worse, fine = x <= bound.worse[y], x >= bound.not_worse[y]
        differed |= worse | (x >= bound.better[y])
        fresh = verdict == 0
        when = np.where(fresh & (worse | fine), index + 1, when)
        verdict = np.where(fresh & worse, 1, np.where(fresh & fine, 2, verdict))
    return Compared(float(np.mean(verdict == 1)), float(np.mean(verdict == 2)), float(np.mean(differed)), float(np.mean(when)))


@dataclass(frozen=True)
class Flips:
    """How often a comparison of the same bytes showed a difference in either direction in up to nine looks."""

    design: str
    size: int
    population: str
    mean: float
    rate: float


def same_bytes(rng: np.random.Generator) -> Iterator[Flips]:
    """Both arms sampled in rounds, and the second arm a lock with three samples of each case."""
    for size, population, mean in product(SIZES, POPULATIONS, (0.5, 0.7, 0.8, 0.9, 0.95, 1.0)):
        suites = suites_of(rng, size, population, mean)
        now, then = suites.rounds(rng, ROUNDS), suites.rounds(rng, ROUNDS)
        locked = np.repeat(then[:, SAMPLES - 1 : SAMPLES], ROUNDS, axis=1)
        looks = range(1, ROUNDS + 1)
        yield Flips("rounds", size, population, mean, run_rounds(now, then, [boundary(size, n, n) for n in looks]).differed)
        yield Flips("lock", size, population, mean, run_rounds(now, locked, [boundary(size, n, SAMPLES) for n in looks]).differed)


@dataclass(frozen=True)
class Cost:
    """One design and suite size: errors, and samples an arm against two fixed designs."""

    size: int
    then: float
    drop: float
    wrong: float
    undecided: float
    samples: float
    planned: int
    """Of the fixed design that keeps both errors whatever the rate is, as it has to be planned."""
    knowing: int
    """Of the fixed design that knew both rates beforehand."""

    @property
    def ratio(self) -> float:
        """Against the design that can be planned."""
        return self.samples / self.planned


def costs(rng: np.random.Generator) -> Iterator[Cost]:
    """Every design at no drop, at the whole drop and between, in suites whose cases are alike: there samples vary most."""
    planned = fixed_design(DESIGNS)
    for size in SIZES:
        whole = ceil(planned / size)
        bounds = [boundary(size, n, n) for n in range(1, 2 * whole + 1)]
        for rate, worse in DESIGNS:
            knowing = ceil(fixed_design(((rate, worse),)) / size) * size
            for drop in (0.0, *BETWEEN, MARGIN):
                arms = [suites_of(rng, size, "alike", mean).rounds(rng, len(bounds)) for mean in (rate - drop, rate)]
                ended = run_rounds(arms[0], arms[1], bounds)
                wrong = ended.worse if drop == 0.0 else ended.not_worse if drop == MARGIN else 0.0
                undecided = 1.0 - ended.worse - ended.not_worse
                yield Cost(size, rate, drop, wrong, undecided, ended.rounds * size, whole * size, knowing)


@cache
def fixed_design(designs: tuple[tuple[float, float], ...]) -> int:
    """Samples an arm, looked at once: the fewest with both errors at most ALPHA in all designs, deciding at half the margin."""
    n = 2
    while not all(_suffices(n, rate, worse) for rate, worse in designs):
        n += 1
    return n


def _suffices(n: int, rate: float, worse: float) -> bool:
    drops = np.arange(-n, n + 1)
    same = np.convolve(_binomial(n, rate), _binomial(n, rate)[::-1])
    less = np.convolve(_binomial(n, rate), _binomial(n, worse)[::-1])
    for cut in range(int(n * (rate - worse) / 4), n):
        if same[drops >= cut].sum() <= ALPHA:
            return bool(less[drops < cut].sum() <= ALPHA)
    return False


# The tables.


def main() -> None:
    """Print what docs/statistics.md quotes."""
    rng = np.random.default_rng(SEED)
    print(f"{SUITES} suites at every point, sizes {SIZES[0]} to {SIZES[-1]}, seed {SEED}")
    for name, points in (("rate gates", list(rate_points(rng))), ("lift gate", list(lift_points(rng)))):
        worst = max(points, key=lambda point: point.wrong)
        print(f"{name}: {len(points)} points, wrong in at most {worst.wrong:.4f} of suites (declared 0.05): {worst}")
    exact = max(exact_rate_errors(), key=lambda point: point.wrong)
    print(f"rate gates, enumerated at the minimum: wrong with {exact.wrong:.4f} at most: {exact}")
    flips = list(same_bytes(rng))
    for design in ("rounds", "lock"):
        worst_flips = max((each for each in flips if each.design == design), key=lambda each: each.rate)
        print(f"same bytes, {design}: a difference in at most {worst_flips.rate:.4f} of suites (declared 0.01): {worst_flips}")
    print(cost_table(list(costs(rng))))


def cost_table(found: Sequence[Cost]) -> str:
    """One line for each design and drop, over all sizes."""
    lines = [
        f"\nthe fixed design that has to be planned: {fixed_design(DESIGNS)} samples an arm\n",
        "| then | drop | wrong, at most | open, at most | samples / planned, mean and largest | samples / knowing, mean |",
        "|---|---|---|---|---|---|",
    ]
    for (rate, _), drop in product(DESIGNS, (0.0, *BETWEEN, MARGIN)):
        rows = [cost for cost in found if cost.then == rate and cost.drop == drop]
        ratios = [cost.ratio for cost in rows]
        knowing = np.mean([cost.samples / cost.knowing for cost in rows])
        lines.append(
            f"| {rate} | {drop} | {max(row.wrong for row in rows):.4f} | {max(row.undecided for row in rows):.3f} "
            f"| {np.mean(ratios):.2f}, {max(ratios):.2f} | {knowing:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
