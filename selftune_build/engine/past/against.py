"""`--against REV`: the same cases then and now, by the counts of two locks; its verdict is in no lock (ADR 0032)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.request import BuildRequest
from selftune_build.errors import SelftuneError, UndecidedError
from selftune_build.gates.builtin import REGRESSION
from selftune_build.graph.targets import Stage, address
from selftune_build.model.case import Arm
from selftune_build.model.lock import AgentEntry, Row
from selftune_build.model.manifest import GateSetting
from selftune_build.model.report import PackageReport
from selftune_build.model.statistics import Against, Change, Compared
from selftune_build.model.verdict import GateResult, Verdict
from selftune_build.stages.row import RowSpec
from selftune_build.stats.sequential import ALPHA, MARGIN, Comparison, Shown, Stratum, compare

if TYPE_CHECKING:  # most invocations look at no revision
    from selftune_build.engine.past.lock import Past
    from selftune_build.revision.revision import Revision

Rows = Mapping[str, Mapping[str, Row]]
CHECKS, TRIGGER = "checks", "trigger"
PRESENT = "the tree"
"""What an overlay is compared with, in place of the name of a revision."""
_SHORT = 12
_PARTED = "..."
_LEAST_MARGIN, _MOST_MARGIN = 0.05, 0.9


def revision_of(root: Path, request: BuildRequest) -> Revision | None:
    """The commit that a request compares with. Raises UsageError and UndecidedError where there is none."""
    if request.against is None:
        return None
    from selftune_build.revision.revision import open_revision

    return open_revision(root, request.against)


def with_comparison(report: PackageReport, run: PackageRun, rows: Rows, revision: Revision | None, word: str) -> PackageReport:
    """The report with the comparison and its verdict; unchanged where none was asked for or its stage was not."""
    return report if revision is None else _with(report, run, lambda: compare_with(run, rows, revision, word))


def with_present(report: PackageReport, run: PackageRun, rows: Rows, present: AgentEntry | None) -> PackageReport:
    """The same against what is known without an overlay, whose cases are those with it; None where that is nothing."""
    from selftune_build.engine.past.lock import Past

    past = Past(present, frozenset(case.id for case in run.package.evals))
    nothing = "no case has evidence both with the overlay and without"

    def compared() -> Against:
        against = _compare(run, rows, past, _about(run, PRESENT), nothing)
        return against if against.compared else replace(against, remark=nothing)

    return _with(report, run, compared)


def _with(report: PackageReport, run: PackageRun, compared: Callable[[], Against]) -> PackageReport:
    setting = run.package.manifest.gates.get(REGRESSION)
    if (setting is not None and not setting.enabled) or Stage.REPLAY not in run.stages:
        return report
    against = compared()
    return with_gate(replace(report, statistics=replace(report.statistics, against=against)), _gate(against, setting))


def with_gate(report: PackageReport, gate: GateResult) -> PackageReport:
    """The report with one more gate, and the verdict that follows from it."""
    verdict = report.verdict
    if gate.required and gate.verdict is Verdict.FAIL:
        verdict = Verdict.FAIL
    elif gate.required and gate.verdict is Verdict.INCONCLUSIVE and verdict is Verdict.PASS:
        verdict = Verdict.INCONCLUSIVE
    return replace(report, verdict=verdict, gates=(*report.gates, gate))


def is_open(report: PackageReport) -> bool:
    """Whether a required comparison could not decide although there was something to compare."""
    against = report.statistics.against
    undecided = any(gate.id == REGRESSION and gate.required and gate.verdict is Verdict.INCONCLUSIVE for gate in report.gates)
    return undecided and against is not None and bool(against.compared)


def compare_with(run: PackageRun, rows: Rows, revision: Revision, word: str) -> Against:
    """Every case that was the same then, with what its rows count on both sides."""
    from selftune_build.engine.past.lock import past_of

    nothing = f"{word} has no lock with evidence of the agent {run.agent.name}"
    return _compare(run, rows, past_of(run, revision), _about(run, word, revision.commit[:_SHORT]), nothing)


def first_of(words: Sequence[str], run: PackageRun, rows: Rows, root: Path, setting: GateSetting) -> Against:
    """The comparison with the first of these revisions that is in this clone; where none is, why, and what fetches it.

    `REV...` is the commit in which REV and HEAD parted, as git has it.
    """
    from selftune_build.engine.past.lock import past_of
    from selftune_build.revision.revision import open_revision

    about = Against(words[0], "", -setting.min if setting.min is not None else MARGIN)
    if not _LEAST_MARGIN <= about.margin <= _MOST_MARGIN:
        return replace(about, remark=f"`min` has to lie between {-_MOST_MARGIN} and {-_LEAST_MARGIN}")
    refusals: list[SelftuneError] = []
    for word in words:
        try:
            revision = open_revision(root, word.removesuffix(_PARTED))
            revision = revision.since() if word.endswith(_PARTED) else revision
            past = past_of(run, revision)
        except SelftuneError as error:
            refusals.append(error)
            continue
        nothing = f"{word} has no lock with evidence of the agent {run.agent.name}"
        return _compare(run, rows, past, replace(about, revision=word, commit=revision.commit[:_SHORT]), nothing)
    missing = next((each for each in refusals if isinstance(each, UndecidedError)), refusals[-1])
    return replace(about, remark=missing.message, fetch=missing.hint or "")


def _about(run: PackageRun, word: str, commit: str = "") -> Against:
    setting = run.package.manifest.gates.get(REGRESSION)
    return Against(word, commit, -setting.min if setting is not None and setting.min is not None else MARGIN)


def _compare(run: PackageRun, rows: Rows, past: Past, about: Against, nothing: str) -> Against:
    """`nothing` is said where there is no evidence of the past."""
    if past.entry is None:
        return replace(about, remark=nothing)
    other = past.entry.identity != run.agent.identity
    remark = f"the agent {run.agent.name} is not the one of {about.revision}" if other else ""
    changes = [change for spec in _asked(run) for change in _changes(spec, rows, past)]
    found = {change.target for change in changes}
    missing = tuple(spec.case.id for spec in _asked(run) if address(run.package.handle, spec.stage, spec.case.id) not in found)
    compared = tuple(each for what in (CHECKS, TRIGGER) if (each := _compared(what, changes, about.margin, run)) is not None)
    moved = tuple(change for change in changes if change.held_now * change.n_then != change.held_then * change.n_now)
    same = not missing and not other and all(_is_same(spec, rows, past) for spec in _asked(run))
    return replace(about, compared=compared, changes=moved, left_out=missing, remark=remark, unchanged=same)


def _is_same(spec: RowSpec, rows: Rows, past: Past) -> bool:
    now, then = rows.get(spec.case.id, {}).get(Arm.WITH_SKILL), past.row(spec.case.id, Arm.WITH_SKILL)
    return now is not None and then is not None and (now.key, now.evidence) == (then.key, then.evidence)


def _asked(run: PackageRun) -> list[RowSpec]:
    return [spec for spec in run.specs if spec.stage is Stage.REPLAY]


def _changes(spec: RowSpec, rows: Rows, past: Past) -> Iterator[Change]:
    now, then = rows.get(spec.case.id, {}).get(Arm.WITH_SKILL), past.row(spec.case.id, Arm.WITH_SKILL)
    if now is None or then is None:
        return
    target = address(spec.package.handle, spec.stage, spec.case.id)
    if isinstance(now.passed, int) and isinstance(then.passed, int):
        yield Change(target, CHECKS, now.passed, now.n, then.passed, then.n)
    if spec.polarity is not None and isinstance(now.triggered, int) and isinstance(then.triggered, int):
        held = [count if spec.polarity else n - count for count, n in ((now.triggered, now.n), (then.triggered, then.n))]
        yield Change(target, TRIGGER, held[0], now.n, held[1], then.n)


def _compared(what: str, changes: list[Change], margin: float, run: PackageRun) -> Compared | None:
    strata = [Stratum(each.held_now, each.n_now, each.held_then, each.n_then) for each in changes if each.what == what]
    if not strata:
        return None
    result = _certain(strata, margin) if run.agent.traits.deterministic else compare(strata, margin, ALPHA)
    return Compared(
        what=what,
        shown=result.shown.value,
        difference=result.difference,
        low=result.low,
        high=result.high,
        cases=len(strata),
        now=sum(each.n_now for each in strata),
        then=sum(each.n_then for each in strata),
    )


def _certain(strata: list[Stratum], margin: float) -> Comparison:
    """What answers the same each time needs no test: the difference is the difference."""
    difference = sum(each.held_now / each.n_now - each.held_then / each.n_then for each in strata) / len(strata)
    return Comparison(Shown.WORSE if difference < 0 else Shown.NOT_WORSE, difference, difference, difference)


def _gate(against: Against, setting: GateSetting | None) -> GateResult:
    """A drop that is shown is a no whoever asked; that none is shown is enough unless the manifest wants it ruled out."""
    shown = {each.shown for each in against.compared}
    verdict = Verdict.INCONCLUSIVE
    if Shown.WORSE.value in shown:
        verdict = Verdict.FAIL
    elif shown == {Shown.NOT_WORSE.value}:
        verdict = Verdict.PASS
    required = setting.required if setting is not None else verdict is Verdict.FAIL
    return GateResult(REGRESSION, verdict, _message(against), required, _advice(against, verdict))


_WORDS = {
    Shown.WORSE.value: "worse",
    Shown.NOT_WORSE.value: "not worse by {margin:.2f} or more",
    Shown.NOTHING.value: "no regression shown, a drop by {margin:.2f} not ruled out",
}


def _message(against: Against) -> str:
    if not against.compared:
        return against.remark or f"no case is the same as at {against.revision}"
    told = [
        f"{each.what} {each.difference:+.2f} on {each.cases} cases, {each.now} samples now and {each.then} at {against.revision} "
        f"(confidence sequence {each.low:+.2f} to {each.high:+.2f}): {_WORDS[each.shown].format(margin=against.margin)}"
        for each in against.compared
    ]
    return "; ".join([*told, *([against.remark] if against.remark else [])])


def _advice(against: Against, verdict: Verdict) -> str:
    if verdict is Verdict.FAIL:
        return "look at the cases below that hold less often than then, and at what changed in the skill since"
    if verdict is Verdict.PASS:
        return ""
    if not against.compared and against.revision == PRESENT:
        return "take the samples that are missing: of the tree as it is, and with the overlay"
    if not against.compared:
        return "name a revision whose lock was written by this agent and for these cases"
    return (
        "samples of both sides narrow it: `--resample N` takes more of today's, `gates: {regression: {}}` takes them up to "
        "samples.max by itself; more cases help as well"
    )
