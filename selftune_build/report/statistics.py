"""What is said for people beside the gates: what cannot be settled, which cases are flaky, what a skill takes."""

from __future__ import annotations

from collections.abc import Iterator

from selftune_build.advice import command
from selftune_build.limits import SHOWN_FAILURES
from selftune_build.model.report import PackageReport, Report
from selftune_build.model.statistics import Body, Efficiency, Flaky
from selftune_build.report.cells import indented, name, sentence, wrap
from selftune_build.wording import counted

WHAT = {"checks": "all checks held", "trigger": "the skill was used as it should"}
FLAKY_ADVICE = (
    "look at a sample that held beside one that did not (`{show}`): say in SKILL.md what the good one did "
    "or widen a check that refuses a good answer; `--resample 6` makes the rate surer, more cases make the gates surer"
)


def unsettled_lines(report: Report, width: int) -> Iterator[str]:
    """In a plan: which gates the suites cannot settle, whatever is spent."""
    for package in report.packages if report.mode == "dry-run" else ():
        for text in package.statistics.unsettled:
            yield from wrap(f"before anything is spent: {name(package.name)}: {sentence(text)}", width, "  ")


def flaky_lines(report: Report, width: int, verbose: bool) -> Iterator[str]:
    """Each flaky case with its rate, and once what to do."""
    found = [(package, flaky) for package in report.packages for flaky in package.statistics.flaky]
    shown = found if verbose else found[:SHOWN_FAILURES]
    for package, flaky in shown:
        yield from wrap(f"flaky: {_whose(package, report)}{_rate(flaky)}", width, "  ")
    if len(found) > len(shown):
        yield f"  and {len(found) - len(shown)} more flaky cases (-v shows all)"
    if found:
        advice = FLAKY_ADVICE.format(show=sentence(command("show", found[0][1].target, place=report.place)))
        yield from indented(f"to do: {advice}", width, 2)


def _whose(package: PackageReport, report: Report) -> str:
    several = len({each.agent for each in report.packages}) > 1
    return f"({name(package.agent)}) " if several else ""


def _rate(flaky: Flaky) -> str:
    return f"{name(flaky.target)}: {flaky_rate(flaky)}"


def flaky_rate(flaky: Flaky) -> str:
    """`all checks held in 2 of 3 samples (2 in a row: 0.33, 3 in a row: 0.00)`."""
    runs = [f"{k} in a row: {share:.2f}" for k, share in enumerate(flaky.all_of, 1) if k > 1]
    return f"{WHAT[flaky.what]} in {flaky.held} of {flaky.n} samples" + (f" ({', '.join(runs)})" if runs else "")


def effort_lines(report: Report, width: int) -> Iterator[str]:
    """What a skill costs to use and how its text is laid out, where a detailed report was asked for."""
    for package in report.packages:
        efficiency, body = package.statistics.efficiency, package.statistics.body
        if efficiency is not None:
            told = filter(None, (_effort(label, field, efficiency) for field, label in _EFFORT))
            over = f"{counted(efficiency.cases, 'case')} with against without {name(package.name)}: "
            yield from wrap(over + ("; ".join(told) or "the agent does not tell what it uses"), width, "  ")
        if body is not None:
            yield from wrap(f"text of {name(package.name)}: {_body(body)}", width, "  ")


_EFFORT = (
    ("input_tokens", "tokens in"),
    ("output_tokens", "tokens out"),
    ("cost_usd", "USD"),
    ("turns", "turns"),
    ("tool_calls", "tool calls"),
    ("seconds", "seconds"),
)


def _effort(label: str, field: str, efficiency: Efficiency) -> str | None:
    used, without = getattr(efficiency.with_skill, field), getattr(efficiency.without_skill, field)
    return None if used is None or without is None else f"{label} {_amount(used)} against {_amount(without)}"


def _amount(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _body(body: Body) -> str:
    sizes = f"about {body.description_tokens} tokens always, {body.body_tokens} when used, {body.reference_tokens} when asked for"
    shares = ((body.links, "of its links lead to a file"), (body.reached, "of its references and scripts are led to"))
    told = [f"{share:.0%} {what}" for share, what in shares]
    return f"{sizes}; {', '.join(told)}; {body.covered:.0%} of the prompts that should trigger share a word with its description"
