"""`selftune eval noise`: an A/A run. The samples of one static key in two disjoint groups, judged as if they were two versions.

The samples are ordinary ones of the store (ADR 0031): taken where there are fewer than two groups need, kept, never paid twice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from selftune_build.checks.context import Execute
from selftune_build.checks.execute import command_executor
from selftune_build.checks.registry import Summary, summary
from selftune_build.engine.build import build
from selftune_build.engine.judging.row import Judged, activated, judge_samples
from selftune_build.engine.load import Universe
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.planning.invocation import plan_rows, stores_at
from selftune_build.engine.request import BuildRequest, Surroundings
from selftune_build.errors import UsageError
from selftune_build.gates.builtin import GATES, LIFT_MINIMUM, minimum_of
from selftune_build.gates.decide import decide
from selftune_build.gates.facts import Facts
from selftune_build.gates.outcomes import CaseOutcome
from selftune_build.graph.targets import Stage, parse_target
from selftune_build.limits import NOISE_SPLITS
from selftune_build.model.case import Case
from selftune_build.model.manifest import GateSetting, Manifest
from selftune_build.model.noise import Firing, Noise, PackageNoise
from selftune_build.model.sample import Sample
from selftune_build.model.verdict import Verdict
from selftune_build.stages.row import RowSpec
from selftune_build.stats.bounds import UNDECIDED, Bounds, exactly
from selftune_build.stats.intervals import wilson
from selftune_build.stats.lift import Pair, lift_verdict
from selftune_build.stats.sequential import Shown, is_better, shown, strata_of
from selftune_build.store.location import find_store

RATES = ("trigger-recall", "trigger-specificity", "task-pass-rate")
COMPARISONS = ("comparison of checks", "comparison of triggers")
_CONFIDENCE = 0.95
MEASURED, UNDECIDED_STATUS = 0, 3


class Outcome(Struct, frozen=True):
    """What one sample amounts to; None where it was not measured."""

    triggered: bool | None
    passed: bool | None
    achieved: bool | None
    """Whether the checks on the outcome held, those that are asked without the skill too."""


class Pool(Struct, frozen=True):
    """The samples of one case, as many as both groups need."""

    case: Case
    outcomes: tuple[Outcome, ...]


Group = tuple[Case, Sequence[Outcome], Sequence[Outcome]]
Groups = Sequence[Group]
"""Case, first group, second group."""


def measure_noise(universe: Universe, request: BuildRequest, around: Surroundings, samples: int | None) -> Noise:
    """Take what is missing and compare. `samples` are those of each case in each arm, by default `samples.min` of the package.

    Raises SelftuneError where nothing could be decided at all.
    """
    wanted = replace(request, targets=replayed(request.targets), keep_going=True, groups=2, group_size=samples)
    report = build(universe, wanted, around)
    stores = stores_at(find_store(universe.root), universe, around.progress.waiting)
    runs = [run for group in plan_rows(universe, wanted, stores, around.registry) for run in group]
    packages = tuple(_package(run, None if request.no_exec else command_executor(run.package)) for run in runs)
    firings = [firing for package in packages for firing in package.firings]
    status = MEASURED if firings else UNDECIDED_STATUS
    return Noise(
        packages=packages,
        gates=_sum("gates", (firing for firing in firings if firing.id not in COMPARISONS)),
        comparisons=_sum("comparisons", (firing for firing in firings if firing.id in COMPARISONS)),
        agent_calls=report.spend.agent_calls,
        cost_usd=report.spend.cost_usd,
        exit_code=report.exit_code if report.exit_code in (2, 4, 130) else status,
        problems=tuple(f"{each.target}: {each.message}" for package in report.packages for each in package.problems),
    )


def replayed(targets: Sequence[str]) -> tuple[str, ...]:
    """The targets narrowed to the stage `replay`. Raises UsageError for another stage."""
    stages = {parse_target(text).stage for text in targets} or {None}
    if not stages <= {None, Stage.REPLAY}:
        raise UsageError("noise is measured in the stage replay", hint="name packages, or PACKAGE:replay[CASE]")
    return (*targets, Stage.REPLAY.value) if None in stages else tuple(targets)


def _package(run: PackageRun, execute: Execute | None) -> PackageNoise:
    about = PackageNoise(run.package.name, run.package.path, run.agent.name, run.agent.traits.origin.value, 0, 0)
    if run.agent.traits.deterministic:
        return replace(about, remark="this agent gives the same answer each time: there is no noise")
    specs = [spec for spec in run.specs if spec.stage is Stage.REPLAY and run.wants(spec)]
    if not specs:
        return replace(about, remark="there is no eval case")
    size = specs[0].needed // 2
    pools = [pool for spec in specs if (pool := _pool(spec, run, execute)) is not None]
    found = {pool.case.id for pool in pools}
    left_out = tuple(spec.case.id for spec in specs if spec.case.id not in found)
    if not pools:
        return replace(about, left_out=left_out, remark="no case has samples for two groups")
    return replace(about, cases=len(pools), samples=size, left_out=left_out, firings=tuple(_firings(pools, run, size)))


def _pool(spec: RowSpec, run: PackageRun, execute: Execute | None) -> Pool | None:
    """The first samples by index: those that a row counts, and as many beyond them. None where there are not enough."""
    samples = run.evidence.counted(spec).samples[: spec.needed]
    if len(samples) < spec.needed:
        return None
    judged = judge_samples(spec, samples, execute, run.registry.checks, run.bench(spec))
    outcomes = (_outcome(spec, sample, results, run) for sample, results in zip(samples, judged, strict=True))
    return Pool(spec.case, tuple(outcomes))


def _outcome(spec: RowSpec, sample: Sample, judged: Judged, run: PackageRun) -> Outcome:
    every = summary([result for _, result in judged])
    of_outcome = summary([result for check, result in judged if run.measures_outcome(check)])
    return Outcome(activated(spec, sample), _held(every), _held(of_outcome))


def _held(found: Summary) -> bool | None:
    return None if found is Summary.UNDECIDED else found is Summary.HELD


def _firings(pools: Sequence[Pool], run: PackageRun, size: int) -> Iterator[Firing]:
    manifest = run.package.manifest
    compared = frozenset(pool.case.id for pool in pools if any(map(run.measures_outcome, pool.case.checks)))
    fired = _fired([(pool.case, pool.outcomes[:size], pool.outcomes[size:]) for pool in pools], manifest, compared)
    chance = random.Random(run.package.name)  # one seed for all time: the same samples give the same answer
    again = [_fired([_split(pool, size, chance) for pool in pools], manifest, compared) for _ in range(NOISE_SPLITS)]
    for name, once in fired.items():
        yield _firing(name, int(once), 1, sum(each.get(name, False) for each in again) / NOISE_SPLITS)


def _split(pool: Pool, size: int, chance: random.Random) -> Group:
    shuffled = chance.sample(pool.outcomes, len(pool.outcomes))
    return pool.case, shuffled[:size], shuffled[size:]


def _firing(name: str, fired: int, n: int, again: float) -> Firing:
    return Firing(name, fired, n, *wilson(fired, n, _CONFIDENCE), again)


def _sum(name: str, firings: Iterable[Firing]) -> Firing:
    each = list(firings)
    again = sum(firing.again for firing in each) / len(each) if each else 0.0
    return _firing(name, sum(firing.fired for firing in each), sum(firing.n for firing in each), again)


def _fired(groups: Groups, manifest: Manifest, compared: Collection[str]) -> dict[str, bool]:
    """For each gate and comparison of the cases whether it told the two groups apart; `compared` cases count for the lift."""
    confidence = manifest.samples.confidence
    one, other = (
        {result.id: result.verdict for result in decide(facts, manifest.gates, confidence, _RATE_GATES)}
        for facts in (_facts([group[:2] for group in groups]), _facts([(case, second) for case, _, second in groups]))
    )
    fired = {name: verdict is not other[name] for name, verdict in one.items()}
    lifted = [group for group in groups if group[0].id in compared]
    return fired | _lifted(lifted, manifest.gates.get("lift") or GateSetting(), confidence) | _compared(groups)


def _lifted(groups: Groups, setting: GateSetting, confidence: float) -> dict[str, bool]:
    """Whether the lift gate sees a lift or a harm between the same bytes, the first group as with the skill."""
    pairs = [Pair(*(_mean([each.achieved for each in arm]) for arm in arms)) for _, *arms in groups]
    if not pairs or not setting.enabled:
        return {}
    least = minimum_of(setting, LIFT_MINIMUM)
    verdict = lift_verdict(pairs, least, confidence)
    return {"lift": (verdict is Verdict.PASS and least >= 0) or (verdict is Verdict.FAIL and least <= 0)}


_RATE_GATES = [GATES[name] for name in RATES]


def _compared(groups: Groups) -> dict[str, bool]:
    questions: Mapping[str, Callable[[Case, Outcome], bool | None]] = {
        COMPARISONS[0]: lambda _case, outcome: outcome.passed,
        COMPARISONS[1]: lambda case, outcome: _behaved(case, outcome),
    }
    compared = {}
    for name, ask in questions.items():
        answers = [([ask(case, each) for each in one], [ask(case, each) for each in other]) for case, one, other in groups]
        strata = strata_of((_count(one), _count(other)) for one, other in answers if None not in (*one, *other))
        if strata:
            compared[name] = shown(strata) is Shown.WORSE or is_better(strata)
    return compared


def _behaved(case: Case, outcome: Outcome) -> bool | None:
    if case.should_trigger is None or outcome.triggered is None:
        return None
    return outcome.triggered is case.should_trigger


def _count(answers: Sequence[bool | None]) -> tuple[int, int]:
    return sum(answer is True for answer in answers), len(answers)


def _facts(group: Iterable[tuple[Case, Sequence[Outcome]]]) -> Facts:
    return Facts(tuple(_case(case, outcomes) for case, outcomes in group))


def _case(case: Case, outcomes: Sequence[Outcome]) -> CaseOutcome:
    behaved = _mean([_behaved(case, outcome) for outcome in outcomes]) if case.should_trigger is not None else None
    passed = _mean([outcome.passed for outcome in outcomes]) if case.checks else None
    return CaseOutcome(case.id, False, case.should_trigger, behaved, passed, None)


def _mean(answers: Sequence[bool | None]) -> Bounds:
    return UNDECIDED if None in answers else exactly(Fraction(sum(map(bool, answers)), len(answers)))
