"""What a report says of judges: those that could not rule, those of the agent's own family, and what their rulings rest on."""

from __future__ import annotations

from collections.abc import Iterator

from selftune_build.advice import command
from selftune_build.engine.judging.families import families
from selftune_build.engine.judging.judge import Judge
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.paying.ran import Ran
from selftune_build.engine.paying.taken import Taken, TakenKind
from selftune_build.engine.planning.plan import RowPlan
from selftune_build.escape import one_line
from selftune_build.limits import MESSAGE_CHARACTERS
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.repeated import Repeated
from selftune_build.model.report import Problem
from selftune_build.model.sample import EvidenceOrigin

FAMILY = "judge-family"
_HINT = "name a judge of another family; `policy: {judge_family: refuse}` makes such rulings count for nothing"


def judge_findings(run: PackageRun, *, dry: bool) -> Iterator[Finding]:
    """A warning where judge and agent are of one family, a note where a judge that is no model rules on live answers."""
    judge = run.judge
    if judge is None:
        return
    shared = judge.family or ("" if dry else _served_family(run, judge))
    if shared:
        message = f"the judge {judge.agent.name} is of the same family as the agent {run.agent.name}: {shared}"
        yield Finding(
            FAMILY, Severity.WARNING, one_line(f"{message}; models favour answers like their own", MESSAGE_CHARACTERS), hint=_HINT
        )
    origin = judge.agent.traits.origin
    if origin is EvidenceOrigin.SIMULATED and run.agent.traits.origin is EvidenceOrigin.LIVE:
        message = one_line(f"the rulings of the judge {judge.agent.name} are simulated, the answers are live", MESSAGE_CHARACTERS)
        yield Finding("judge-simulated", Severity.NOTE, message)


def _served_family(run: PackageRun, judge: Judge) -> str:
    """By the models that served, of rows that were judged now: to look at others would mean to read what nothing needs."""
    for plan in run.plans:
        if plan.row is None and plan.spec.judge is not None:
            samples = run.evidence.counted(plan.spec).samples
            questions = judge.questions(plan.spec, samples, run.bench(plan.spec).others)
            votes = [vote for question in questions for vote in judge.opinions.votes(question)]
            ours = frozenset[str]().union(*(families(sample.transcript.reply.model) for sample in samples))
            shared = ours & frozenset[str]().union(*(families(vote.transcript.reply.model) for vote in votes))
            if shared:
                return min(shared)
    return ""


def rows_awaiting(run: PackageRun, ran: Ran, *, dry: bool) -> frozenset[str]:
    """Addresses of rows of which it is told elsewhere that the judge has yet to rule: as a plan, or with what kept it from it."""
    return frozenset(plan.address for plan in run.plans if plan.judging and (dry or _trouble(ran, plan) is not None))


def _trouble(ran: Ran, plan: RowPlan) -> Taken | None:
    troubles = (question.trouble for question in ran.rulings.get(plan.spec.place, ()))
    return next((each for each in troubles if each is not None and each.message), None)


def judge_problems(run: PackageRun, ran: Ran, place: Repeated, *, dry: bool) -> Iterator[Problem]:
    """One problem for each row whose judge did not rule, for a judge that is refused, for rulings that do not count."""
    if run.judge is None:
        return
    name = run.judge.agent.name
    for plan in run.plans:
        trouble = _trouble(ran, plan)
        if trouble is not None:
            code = "budget-used-up" if trouble.kind is TakenKind.NO_BUDGET else "no-evidence"
            fix = command("build", plan.address, place=place)
            yield Problem(code, plan.address, f"judge {name}: {trouble.message}", fix=fix)
    manifest = run.package.manifest
    if run.judge.refused and not dry:
        yield Problem(FAMILY, run.package.name, run.judge.refused, path=manifest.path, fix="name another judge under `judge:`")
    origins, origin = manifest.policy.origins, run.judge.agent.traits.origin.value
    if origins is not None and origin not in origins and any(spec.judge is not None for spec in run.specs):
        message = f"the rulings of the judge {name} are {origin}, and policy.origins asks for {', '.join(origins)}"
        yield Problem("evidence-simulated", run.package.name, message, path=manifest.path)
