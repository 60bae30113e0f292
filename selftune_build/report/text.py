"""The report for people: what kind of evidence, one table, what stands in the way, what it cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from selftune_build.advice import command
from selftune_build.graph.targets import SAMPLED, stage_of
from selftune_build.limits import (
    FOLDED_TABLE_ROWS,
    SHOWN_COMMANDS,
    SHOWN_FAILURES,
    SHOWN_PROBLEMS,
    SHOWN_REASONS,
    SUGGESTED_FINDINGS,
)
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.model.report import Failure, PackageReport, Problem, Report, StageReport, TargetState
from selftune_build.model.sample import EvidenceOrigin
from selftune_build.model.verdict import GateResult, Verdict
from selftune_build.report.against import against_lines
from selftune_build.report.by_hand import accepted_count, accepted_note, decided_by_hand
from selftune_build.report.cells import name, paint, percent, sentence, wrap
from selftune_build.report.disagreement import disagreement_lines
from selftune_build.report.grouping import checks_of, common_fix, grouped, same_failure, same_problem, samples_of, subject
from selftune_build.report.remote import remote_lines
from selftune_build.report.routing import routing_lines
from selftune_build.report.statistics import effort_lines, flaky_lines, unsettled_lines
from selftune_build.report.table import by_agent, lay_out, table_lines
from selftune_build.wording import counted

SIMULATED = "structure check, no model was run"
_OPEN = (TargetState.STALE, TargetState.BLOCKED, TargetState.SKIPPED, TargetState.FAILED)
REAL_AGENT = "with a real agent: selftune build verify --agent NAME"


def render(report: Report, width: int, colour: bool, *, verbose: bool = False) -> str:
    """The whole report in lines of at most `width` cells, except for commands, which stay in one piece; ends in a newline."""
    sections = [
        list(_evidence(report, width)),
        _table(report, width, colour, verbose),
        list(_reasons(report, width, verbose)),
        list(unsettled_lines(report, width)),
        list(_problems(report, width, verbose)),
        list(_gates(report, width, verbose)),
        list(against_lines(report, width, verbose)),
        list(_decided_by_hand(report, width)),
        list(_failures(report, width, verbose)),
        list(flaky_lines(report, width, verbose)),
        list(routing_lines(report, width, verbose)),
        list(disagreement_lines(report, width, verbose)),
        list(effort_lines(report, width)) if verbose else [],
        list(_findings(report, width, verbose)),
        list(_unmeasured(report, width)),
        list(_judging(report, width)),
        list(remote_lines(report.remote, width, plan=report.mode == "dry-run")),
        [*_left(report, width), *_next(report), _summary(report, colour)],
    ]
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def _evidence(report: Report, width: int) -> Iterator[str]:
    """What the numbers below rest on, said before the numbers."""
    origins = {package.origin for package in report.packages if package.origin}
    for origin, text in ((EvidenceOrigin.SIMULATED.value, SIMULATED), (EvidenceOrigin.RECORDED.value, "recorded transcripts")):
        if origin in origins:
            agents = sorted({package.agent for package in report.packages if package.origin == origin})
            yield text + ("" if len(origins) == 1 else f" (agent {', '.join(map(name, agents))})")
    if EvidenceOrigin.SIMULATED.value in origins:
        yield REAL_AGENT
    for agent, remark in dict.fromkeys((package.agent, package.remark) for package in report.packages if package.remark):
        yield from wrap(f"agent {name(agent)}: {sentence(remark)}", width, "  ")
    if report.mode == "locked":
        yield "judged from tree and lock alone, nothing was executed"
    if report.mode == "dry-run":
        yield "a plan, nothing was executed"
    if report.overlay is not None:
        from selftune_build.report.overlay import overlay_line

        yield from wrap(overlay_line(report.overlay), width, "  ")


def _table(report: Report, width: int, colour: bool, verbose: bool) -> list[str]:
    if not report.packages:
        return ["no package was selected"]
    folded = not verbose and len(report.packages) > FOLDED_TABLE_ROWS  # each has one line at least
    lines = table_lines(report.packages, folded=folded)
    if len(lines) > FOLDED_TABLE_ROWS and not (verbose or folded):
        lines = table_lines(report.packages, folded=True)
    return lay_out(lines, width, colour, would=report.mode != "build")


def _reasons(report: Report, width: int, verbose: bool) -> Iterator[str]:
    """Why something has to run: always in a plan, otherwise on request and for what stayed stale. Of a lock it is a problem."""
    for package in report.packages if report.mode != "locked" or verbose else ():
        for stage in package.stages:
            if stage.reasons and (verbose or report.mode == "dry-run" or stage.state is TargetState.STALE):
                which = f" {sentence(', '.join(stage.cases))}" if stage.cases and report.mode == "dry-run" else ""
                yield from wrap(f"{name(stage.target)} has to run{which}:", width, "  ")
                shown = stage.reasons if verbose else stage.reasons[:SHOWN_REASONS]
                for reason in shown:
                    yield from _entry("", f"{name(reason.code)}: {sentence(reason.message)}", width)
                yield from _more(len(stage.reasons) - len(shown), "reason")


def _gates(report: Report, width: int, verbose: bool) -> Iterator[str]:
    """What the gates say that do not pass; those that decide nothing have their line in the table, and this on request."""
    agent_of = by_agent(report.packages)
    for package in report.packages:
        whose = name(package.name) + agent_of(package)
        shown = [gate for gate in package.gates if _has_to_be_told(gate, report.mode, verbose)]
        waiting = [] if verbose else [gate for gate in shown if gate.verdict is Verdict.INCONCLUSIVE and _incomplete(package)]
        if waiting:
            ids = ", ".join(name(gate.id) for gate in waiting)
            yield from wrap(f"inconclusive for want of evidence: {ids} of {whose} (-v shows why)", width, "  ")
        for gate in shown:
            if gate not in waiting:
                optional = "" if gate.required else ", not required"
                yield from wrap(f"{gate.verdict.value}{optional}: gate {name(gate.id)} of {whose}", width, "  ")
                yield from _entry("", sentence(gate.message), width)
                yield from _entry("to do", sentence(gate.advice), width) if gate.advice else ()


def _decided_by_hand(report: Report, width: int) -> Iterator[str]:
    for line in dict.fromkeys(line for package in report.packages for line in decided_by_hand(package)):
        yield from wrap(line, width, "  ")


def _has_to_be_told(gate: GateResult, mode: str, verbose: bool) -> bool:
    """Not a pass, and not told already: what fails by a lock and what nobody supplies is a problem with a code."""
    told = gate.required and (bool(gate.code) or (mode == "locked" and gate.verdict is Verdict.FAIL))
    return gate.verdict is not Verdict.PASS and (gate.required or verbose) and not told


def _incomplete(package: PackageReport) -> bool:
    """Whether rows are missing: then what a gate cannot decide follows from that, and the cause is told elsewhere."""
    return any(stage.state in _OPEN and _rows_of(stage) for stage in package.stages)


def _rows_of(stage: StageReport) -> bool:
    return stage_of(stage.target) in SAMPLED


def _failures(report: Report, width: int, verbose: bool) -> Iterator[str]:
    agent_of = by_agent(report.packages)
    for package in report.packages:
        groups = [[failure] for failure in package.failures] if verbose else grouped(package.failures, same_failure)
        for group in groups if verbose else groups[:SHOWN_FAILURES]:
            yield from _failure(group, agent_of(package), width)
            if report.overlay is None:
                yield f"  next: {sentence(command('show', group[0].target, place=report.place))}"
        cut = groups[SHOWN_FAILURES:] if not verbose else []
        yield from _more(sum(map(len, cut)), "failed check")


def _failure(group: Sequence[Failure], agent: str, width: int) -> Iterator[str]:
    """One failed check, or one that failed alike in several cases."""
    first, (failed, samples) = group[0], samples_of(group)
    verb = "failed" if first.measured else "not measured"
    yield from wrap(f"{verb} in {failed} of {samples}: {subject([each.target for each in group])}{agent}", width, "  ")
    yield from _entry("check", checks_of(group), width)
    yield from _entry("evidence", sentence(first.evidence), width)


def _problems(report: Report, width: int, verbose: bool) -> Iterator[str]:
    seen: set[Problem] = set()
    for package in report.packages:
        fresh = [problem for problem in package.problems if problem not in seen]  # a lock is one for all its agents
        seen.update(fresh)
        groups = [[problem] for problem in fresh] if verbose else grouped(fresh, same_problem)
        for group in groups if verbose else groups[:SHOWN_PROBLEMS]:
            yield from _problem(group, width)
        cut = groups[SHOWN_PROBLEMS:] if not verbose else []
        yield from _more(sum(map(len, cut)), "problem")


def _problem(group: Sequence[Problem], width: int) -> Iterator[str]:
    """One problem, or one that several cases share."""
    first, fix = group[0], common_fix(group)
    yield from wrap(f"{name(first.code)}: {subject([each.target for each in group])}", width, "  ")
    yield from _entry("", sentence(first.message), width)
    if first.path is not None and len(group) == 1:
        yield f"  at {name(str(Location(first.path, first.line, pointer=first.pointer)))}"
    if fix is not None:
        yield f"  fix: {sentence(fix)}"


def _findings(report: Report, width: int, verbose: bool) -> Iterator[str]:
    together: dict[tuple[str, str], dict[Finding, None]] = {}
    for package in report.packages:  # one package under several agents has each finding once
        together.setdefault((package.name, package.path), {}).update(dict.fromkeys(package.findings))
    for (whose, _), findings in together.items():
        yield from _package_findings(whose, list(findings), width, verbose)


def _package_findings(whose: str, findings: Sequence[Finding], width: int, verbose: bool) -> Iterator[str]:
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    others = [finding for finding in findings if finding.severity is not Severity.ERROR]
    for finding in errors:
        yield from _finding(finding, width)
    warnings = others if verbose else [each for each in others if each.severity is Severity.WARNING]
    shown = warnings if verbose else warnings[:SUGGESTED_FINDINGS]
    if warnings and not verbose:
        head = f"{counted(len(warnings), 'warning')} about {name(whose)}" + _all_hint(len(warnings) > len(shown))
        yield from wrap(head, width, "  ")
    for finding in shown:
        yield from _finding(finding, width)


def _all_hint(cut: bool) -> str:
    return f", the first {SUGGESTED_FINDINGS} (-v shows all):" if cut else ":"


def _finding(finding: Finding, width: int) -> Iterator[str]:
    place = f"{name(str(finding.at))}: " if finding.at is not None else ""
    yield from wrap(f"{finding.severity.value}: {place}{sentence(finding.message)} [{name(finding.code)}]", width, "  ")
    if finding.hint is not None:
        yield from _entry("fix", sentence(finding.hint), width)


def _unmeasured(report: Report, width: int) -> Iterator[str]:
    """Why packages are inconclusive of which every gate that speaks has passed: nothing else says it."""
    packages = [package for package in report.packages if _says_nothing(package)]
    if packages:
        whose = name(packages[0].name) if len(packages) == 1 else f"{len(packages)} packages"
        verb = "has" if len(packages) == 1 else "have"
        yield from wrap(f"inconclusive: {whose} {verb} no case, so nothing about an agent was measured", width, "  ")


def _judging(report: Report, width: int) -> Iterator[str]:
    """How much each judge ruled, and how far its votes agreed: of one vote there is nothing to say."""
    for judge in dict.fromkeys(package.judge for package in report.packages if package.judge):
        agreements = [each for package in report.packages if package.judge == judge for each in package.agreements]
        rulings, votes = sum(each.rulings for each in agreements), sum(each.votes for each in agreements)
        agreement = f", {percent(sum(each.agreeing for each in agreements), votes)} agreement" if votes > rulings else ""
        if votes:
            counts = f"{counted(rulings, 'ruling')} by {counted(votes, 'vote')}"
            yield from wrap(f"judge {name(judge)}: {counts}{agreement}", width, "  ")


def _says_nothing(package: PackageReport) -> bool:
    passed = all(gate.verdict is Verdict.PASS for gate in package.gates if gate.required)
    rows = sum(stage.run + stage.reused for stage in package.stages)
    waiting = any(stage.reasons or stage.state in _OPEN for stage in package.stages)
    return package.verdict is Verdict.INCONCLUSIVE and passed and not (rows or waiting or package.problems)


def _left(report: Report, width: int) -> Iterator[str]:
    """What remains of a plan that its budget did not cover."""
    spend = report.spend
    if spend.left_calls:
        price = "price not known yet" if spend.left_usd is None else f"about {_money(spend.left_usd)} USD"
        text = f"the budget is used up, {counted(spend.left_calls, 'call')} of the plan left, {price}; what was answered is kept"
        yield from wrap(text, width, "  ")


def _next(report: Report) -> list[str]:
    commands = list(dict.fromkeys(package.next_command for package in report.packages if package.next_command))
    more = len(commands) - SHOWN_COMMANDS
    return [
        *(f"next: {sentence(command)}" for command in commands[:SHOWN_COMMANDS]),
        *([f"  and {counted(more, 'more command')} (--json has them all)"] if more > 0 else []),
    ]


def _summary(report: Report, colour: bool) -> str:
    spend = report.spend
    verdict = paint(report.verdict.value, report.verdict.value, colour)
    calls = f"{counted(spend.agent_calls, 'agent call')}, {counted(spend.judge_calls, 'judge call')}"
    taken = accepted_note(accepted_count(report))
    status = f" (exit status {report.exit_code})" if report.exit_code else ""
    return f"{verdict}: {calls}, {_money(spend.cost_usd)} USD, {spend.reused} reused{taken}{status}"


def _money(cost: str) -> str:
    """Two decimals at least, more where the amount has them: a tenth of a cent is not nothing."""
    whole, _, fraction = f"{Decimal(cost):f}".partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def _entry(label: str, text: str, width: int) -> list[str]:
    head = f"  {label}: " if label else "  "
    first, *more = wrap(text, width - len(head), "")
    return [head + first, *(" " * len(head) + line for line in more)]


def _more(count: int, noun: str) -> Sequence[str]:
    return [f"  and {counted(count, f'more {noun}')} (-v shows all)"] if count > 0 else []
