"""This suite, again: did the same cases get worse or better? The unit is the sample, stratified by case; any look is allowed.

For each case there are counts of two arms, `now` and `then`. The question is about Δ, the mean over the cases of the difference
between the true rates of the case, now minus then. Against the hypothesis "Δ ≥ δ" stands an e-process: whatever the rates under
that hypothesis, it is at most a martingale that starts at 1, so it ever reaches 1/α with probability at most α (Ville 1939),
whenever and however often somebody looks and however it was decided to take more samples.

* One tilt: with a sample of `now` worth exp(a·x) and of `then` exp(b·x), divide by the expectation, Π (1 + p(exp(a) - 1))^n. The
  rates p are not known, so divide by the largest expectation that the hypothesis allows: never above the true martingale.
  The logarithm of the expectation is concave in the rates, so this is a concave maximum with one linear constraint. With equal n
  in every case all cases take one pair of rates (closed form), else its Lagrange dual bounds it from above, whatever the
  multiplier. So rates may differ between cases as they like.
* Tilts are the log likelihood ratio of rates that differ by δ - margin and their projection onto the hypothesis, which grows
  fastest where those rates are true (Turner, Ly and Grünwald 2024, "Generic E-variables for exact sequential k-sample tests that
  allow for optional stopping", J. Stat. Plan. Inference 230; arXiv 2106.02693, for a single stratum and equal rates).
* A mixture of e-processes is one: the rates themselves are unknown, and so is how many samples the arms will have in the end, so
  several levels and ratios are mixed (method of mixtures, Robbins 1970).

Tilts and weights are fixed beforehand and sums of counts are all that is needed, so the result is a function of the counts. The
confidence sequence is the set of all δ that are not rejected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from math import exp, expm1, log, log1p

from msgspec import Struct

ALPHA = 0.01
"""How often a comparison may be wrong in each direction, whenever it is looked at."""
MARGIN = 0.2
"""The drop of the mean rate that a comparison is made to find, and to rule out."""
LEVELS = ((0.1, 0.04), (0.3, 0.08), (0.5, 0.35), (0.65, 0.2), (0.75, 0.1), (0.85, 0.08), (0.9, 0.15))
"""Means of the two rates that tilts are made for, with their weights: most where samples vary most."""
RATIOS = ((1.0, 0.94), (3.0, 0.03), (1.0 / 3.0, 0.03))
"""Samples now for each sample then that tilts are made for, with their weights."""
EDGE = 0.002
"""Rates of tilts keep this distance from 0 and 1, where a single sample would decide everything."""
STEP = 0.01
"""Ends of the confidence sequence lie on multiples of this, on the outer side."""
_STRIDE = 5
_HALVINGS = 26
_PROJECTING = 40

Sizes = Mapping[tuple[int, int], int]
"""Samples now and then → number of cases with so many."""


class Stratum(Struct, frozen=True):
    """The counts of one case: samples that held, of so many, now and then. Both have samples."""

    held_now: int
    n_now: int
    held_then: int
    n_then: int

    @property
    def mirrored(self) -> Stratum:
        """With the arms exchanged."""
        return Stratum(self.held_then, self.n_then, self.held_now, self.n_now)


class Shown(StrEnum):
    """What a comparison has shown."""

    WORSE = "worse"
    """The mean rate has dropped."""
    NOT_WORSE = "not-worse"
    """It has not dropped by the margin or more."""
    NOTHING = "nothing"


class Comparison(Struct, frozen=True):
    """The result of a comparison: mean difference of the rates and its confidence sequence, each end at 1 - alpha."""

    shown: Shown
    difference: float
    low: float
    high: float


def compare(strata: Sequence[Stratum], margin: float = MARGIN, alpha: float = ALPHA) -> Comparison:
    """Compare the cases now with the same cases then. Without a case nothing is shown."""
    if not strata:
        return Comparison(Shown.NOTHING, 0.0, -1.0, 1.0)
    difference = sum(each.held_now / each.n_now - each.held_then / each.n_then for each in strata) / len(strata)
    low, high = confidence_sequence(strata, margin, alpha)
    return Comparison(shown(strata, margin, alpha), difference, min(low, difference), max(high, difference))


def shown(strata: Sequence[Stratum], margin: float = MARGIN, alpha: float = ALPHA) -> Shown:
    """What these counts show, wrong with probability at most `alpha` in each direction."""
    if evidence_below(strata, 0.0, margin) >= log(1.0 / alpha):
        return Shown.WORSE
    if evidence_above(strata, -margin, margin) >= log(1.0 / alpha):
        return Shown.NOT_WORSE
    return Shown.NOTHING


def is_better(strata: Sequence[Stratum], margin: float = MARGIN, alpha: float = ALPHA) -> bool:
    """Whether the mean rate is shown to have risen."""
    return evidence_above(strata, 0.0, margin) >= log(1.0 / alpha)


def confidence_sequence(strata: Sequence[Stratum], margin: float = MARGIN, alpha: float = ALPHA) -> tuple[float, float]:
    """The smallest interval that holds every mean difference which is not rejected, rounded outwards to hundredths."""
    bound, mirrored = log(1.0 / alpha), [each.mirrored for each in strata]
    return -_upper_end(mirrored, margin, bound), _upper_end(strata, margin, bound)


def _upper_end(strata: Sequence[Stratum], margin: float, bound: float) -> float:
    """A rejected "Δ ≥ δ", the smallest to within a stride; 1 where none is. Whoever rejects it rejects every larger δ with it.

    The evidence need not grow with δ where tilts say little (small margins, unequal sizes), so this walks up and does not halve.
    """
    last = round(1 / STEP)

    def rejects(step: int) -> bool:
        return evidence_below(strata, step * STEP, margin) >= bound

    first = next((step for step in range(-last, last + 1, _STRIDE) if rejects(step)), last)
    return next((step for step in range(first - _STRIDE + 1, first) if rejects(step)), first) * STEP


def evidence_above(strata: Sequence[Stratum], difference: float, margin: float = MARGIN) -> float:
    """Logarithm of the e-value against "the mean difference is at most `difference`"."""
    return evidence_below([each.mirrored for each in strata], -difference, margin)


def evidence_below(strata: Sequence[Stratum], difference: float, margin: float = MARGIN) -> float:
    """Logarithm of the e-value against "the mean difference is at least `difference`"; 0 where nothing could refute that."""
    sizes = Counter((each.n_now, each.n_then) for each in strata)
    now, then = sum(each.held_now for each in strata), sum(each.held_then for each in strata)
    return evidence(now, then, tuple(sorted(sizes.items())), difference, margin)


def evidence(now: int, then: int, sizes: tuple[tuple[tuple[int, int], int], ...], difference: float, margin: float) -> float:
    """The same from the sums of what held now and then, and how many cases have how many samples."""
    tilts = _tilts(difference, margin)
    if not tilts:
        return 0.0
    compensators = _compensators(sizes, difference, margin)
    logs = [weight + a * now + b * then - most for (weight, a, b), most in zip(tilts, compensators, strict=True)]
    largest = max(logs)
    return largest + log(sum(exp(each - largest) for each in logs))


@lru_cache(maxsize=4096)
def _compensators(sizes: tuple[tuple[tuple[int, int], int], ...], difference: float, margin: float) -> list[float]:
    return [_largest_expectation(a, b, dict(sizes), difference) for _, a, b in _tilts(difference, margin)]


@lru_cache(maxsize=2048)
def _tilts(difference: float, margin: float) -> tuple[tuple[float, float, float], ...]:
    """Logarithm of the weight, and what a sample that holds is worth now (negative) and then (positive); empty where no rates
    are left below."""
    if difference <= -1.0 + 2 * EDGE:
        return ()
    at = min(difference, 1.0 - 2 * EDGE)
    alternative = max(at - margin, -1.0 + 2 * EDGE)
    return tuple(
        (log(share * weight), *_tilt(level, alternative, at, ratio)) for ratio, share in RATIOS for level, weight in LEVELS
    )


def _tilt(level: float, alternative: float, difference: float, ratio: float) -> tuple[float, float]:
    room = abs(alternative) / 2 + EDGE / 2
    middle = min(max(level, room), 1.0 - room)
    now, then = middle + alternative / 2, middle - alternative / 2
    nearest = _projection(now, then, difference, ratio)
    return _logit(now) - _logit(nearest + difference), _logit(then) - _logit(nearest)


def _projection(now: float, then: float, difference: float, ratio: float) -> float:
    """The rate q then, for which the pair (q + difference, q) is nearest to these rates by divergence: the zero of a slope."""
    low, high = max(EDGE / 4, EDGE / 4 - difference), min(1.0 - EDGE / 4, 1.0 - EDGE / 4 - difference)
    for _ in range(_PROJECTING):
        q = (low + high) / 2
        p = q + difference
        slope = ratio * (p - now) / (p * (1.0 - p)) + (q - then) / (q * (1.0 - q))
        low, high = (q, high) if slope < 0 else (low, q)
    return (low + high) / 2


def _logit(rate: float) -> float:
    return log(rate / (1.0 - rate))


def _largest_expectation(a: float, b: float, sizes: Sizes, difference: float) -> float:
    """Logarithm of the largest expectation of the tilted counts over all rates with a mean difference of at least `difference`;
    never less."""
    s, t = expm1(a), expm1(b)
    if len(sizes) == 1:
        ((n_now, n_then), cases), *_ = sizes.items()
        return cases * _equal_sizes(s, t, n_now, n_then, difference)
    return _dual(s, t, sizes, difference)


def _equal_sizes(s: float, t: float, n_now: int, n_then: int, difference: float) -> float:
    """With equal sizes all cases are alike (Jensen), on the edge of the hypothesis: the zero of a linear slope, or an end."""
    low, high = max(0.0, -difference), min(1.0, 1.0 - difference)
    zero = -(n_now * s + n_then * t * (1.0 + s * difference)) / (s * t * (n_now + n_then))
    q = min(max(zero, low), high)
    return n_now * log1p(s * (q + difference)) + n_then * log1p(t * q)


def _dual(s: float, t: float, sizes: Sizes, difference: float) -> float:
    """The Lagrange bound at a multiplier found by halving, since its slope rises with it: near the least, and never below it."""
    cases = sum(sizes.values())
    low, high = 0.0, 1.0
    while _gap(s, t, high, sizes) < cases * difference and high < 1e9:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _gap(s, t, middle, sizes) < cases * difference else (low, middle)
    multipliers = (low, (low + high) / 2, high)
    return min(_bound(s, t, each, sizes) - each * cases * difference for each in multipliers)


def _gap(s: float, t: float, multiplier: float, sizes: Sizes) -> float:
    """Sum over the cases of the differences between the rates that are best for this multiplier."""
    pairs = ((_best(s, n, multiplier), _best(t, m, -multiplier), cases) for (n, m), cases in sizes.items())
    return sum(cases * (now - then) for now, then, cases in pairs)


def _bound(s: float, t: float, multiplier: float, sizes: Sizes) -> float:
    return sum(
        cases * (_value(s, n, multiplier, _best(s, n, multiplier)) + _value(t, m, -multiplier, _best(t, m, -multiplier)))
        for (n, m), cases in sizes.items()
    )


def _value(s: float, n: int, multiplier: float, rate: float) -> float:
    return n * log1p(s * rate) + multiplier * rate


def _best(s: float, n: int, multiplier: float) -> float:
    """The rate in 0..1 with the largest n·log(1 + s·rate) + multiplier·rate."""
    if multiplier == 0.0:
        return float(s > 0)
    return min(max(-n / multiplier - 1.0 / s, 0.0), 1.0)


def strata_of(pairs: Iterable[tuple[tuple[int, int], tuple[int, int]]]) -> list[Stratum]:
    """Strata from pairs of (held, n) now and then, without those that lack samples."""
    return [Stratum(now, n, then, m) for (now, n), (then, m) in pairs if n > 0 and m > 0]
