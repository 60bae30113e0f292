"""The plan for people and for machines (schema `selftune.plan/1`)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from selftune_build.graph.targets import Stage, stage_of
from selftune_build.limits import SHOWN_CASES, SHOWN_REASONS
from selftune_build.model.forecast import Cause, Expense, Forecast, PackageForecast, StageForecast
from selftune_build.report.cells import indented, name, sentence, wrap
from selftune_build.report.document import envelope
from selftune_build.wording import counted


def render_json(forecast: Forecast) -> str:
    """One document, newline at the end."""
    return envelope("selftune.plan/1", 0, **msgspec.to_builtins(forecast)) + "\n"


def render(forecast: Forecast, width: int, *, verbose: bool = False) -> str:
    """What would run and why, what is reused, what it may cost."""
    sections = [
        list(_package(package, width, verbose)) for package in forecast.packages if package.command or package.warnings or verbose
    ]
    sections.append([*_settled(forecast, verbose), *_totals(forecast, width)])
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _settled(forecast: Forecast, verbose: bool) -> Iterator[str]:
    quiet = [package for package in forecast.packages if not package.command]
    if quiet and not verbose:
        yield f"{counted(len(quiet), 'package')} up to date"


def _package(package: PackageForecast, width: int, verbose: bool) -> Iterator[str]:
    yield f"{name(package.name)}, agent {name(package.agent)}"
    for stage in package.stages:
        yield f"  {name(stage.target)}: {_rows(stage)}"
        shown = stage.causes if verbose else stage.causes[:SHOWN_REASONS]
        for cause in shown:
            yield from indented(_cause(cause, verbose), width, 4)
        if len(shown) < len(stage.causes):
            yield f"    and {counted(len(stage.causes) - len(shown), 'more reason')} (-v shows all)"
    for text in package.warnings:
        yield from indented(f"warning: {sentence(text)}", width, 2)
    for text in package.unsettled:
        yield from indented(sentence(text), width, 2)
    if package.command:
        yield f"  next: {sentence(package.command)}"


def _rows(stage: StageForecast) -> str:
    sources = {"the lock": stage.by_lock, "the store": stage.by_store, "the remote": stage.by_remote}
    settled = ", ".join(f"{rows} by {source}" for source, rows in sources.items() if rows)
    reused = f"{counted(sum(sources.values()), 'row')} reused ({settled})" if settled else ""
    runs = "run" if stage_of(stage.target) == Stage.UNIT_TESTS else "call"
    stale = f"{stage.missing} of {counted(stage.rows, 'row')} stale, {counted(stage.calls, runs)}"
    judging = f"at most {counted(stage.judge_calls, 'judge call')}" if stage.judge_calls else ""
    missing = stale if stage.missing else "" if judging else "up to date"
    return "; ".join(filter(None, (missing, judging, reused)))


def _cause(cause: Cause, verbose: bool) -> str:
    shown = cause.cases if verbose else cause.cases[:SHOWN_CASES]
    more = f" and {len(cause.cases) - len(shown)} more" if len(shown) < len(cause.cases) else ""
    return f"{name(cause.reason.code)}: {sentence(cause.reason.message)} ({', '.join(map(name, shown))}{more})"


def _totals(forecast: Forecast, width: int) -> Iterator[str]:
    for expense in forecast.expenses:
        yield from wrap(f"{counted(expense.calls, 'call')} to {name(expense.agent)}: {_money(expense)}", width, "  ")
    if forecast.script_runs:
        yield f"{counted(forecast.script_runs, 'run')} of scripts"
    calls = sum(expense.calls for expense in forecast.expenses) + forecast.script_runs
    remote = f", {forecast.by_remote} by the remote" if forecast.by_remote else ""
    reused = f"{forecast.by_lock} rows by the lock, {forecast.by_store} by the store{remote}"
    yield f"plan: {counted(calls, 'sample')} to take; reused: {reused}; nothing was executed"


def _money(expense: Expense) -> str:
    if expense.free:
        return "free"
    if expense.expected is None:
        return "price not known: fewer than two of its answers told theirs"
    low, expected, high = (f"{Decimal(cost):.2f}" for cost in (expense.low or "0", expense.expected, expense.high or "0"))
    return f"about {expected} USD, {low} to {high} in 95 of 100 cases (from {counted(expense.seen, 'recorded answer')})"
