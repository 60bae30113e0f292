"""What a comparison with a revision says: its sentence, and which cases hold more or less often than then."""

from __future__ import annotations

from collections.abc import Iterator

from selftune_build.gates.builtin import REGRESSION
from selftune_build.limits import SHOWN_CASES
from selftune_build.model.report import PackageReport, Report
from selftune_build.model.statistics import Against, Change
from selftune_build.model.verdict import GateResult, Verdict
from selftune_build.report.cells import indented, name, sentence, wrap
from selftune_build.wording import counted, listed


def against_lines(report: Report, width: int, verbose: bool) -> Iterator[str]:
    """Of each package that was compared."""
    for package in report.packages:
        against = package.statistics.against
        if against is not None:
            yield from _package(package, against, width, verbose)


def _package(package: PackageReport, against: Against, width: int, verbose: bool) -> Iterator[str]:
    gate = next(gate for gate in package.gates if gate.id == REGRESSION)
    yield from wrap(f"{name(package.name)} against {name(against.revision)}{_commit(against)}:", width, "  ")
    if _untold(gate, verbose):
        yield from indented(sentence(gate.message), width, 2)
        yield from indented(f"to do: {sentence(gate.advice)}", width, 2) if gate.advice else ()
    changes = sorted(against.changes, key=_gain)
    shown = changes if verbose else changes[:SHOWN_CASES]
    for change in shown:
        yield from indented(_change(change), width, 2)
    if len(shown) < len(changes):
        yield f"  and {counted(len(changes) - len(shown), 'more change')} (-v shows all)"
    if against.left_out:
        names = listed([*map(name, against.left_out)], SHOWN_CASES)
        yield from indented(f"not compared, since they changed or have no evidence on both sides: {names}", width, 2)


def _commit(against: Against) -> str:
    return f" ({name(against.commit)})" if against.commit else ""


def _untold(gate: GateResult, verbose: bool) -> bool:
    """Whether the section of the gates leaves it out."""
    return gate.verdict is Verdict.PASS or not (gate.required or verbose)


def _gain(change: Change) -> float:
    return change.held_now / change.n_now - change.held_then / change.n_then


def _change(change: Change) -> str:
    word = "less often" if _gain(change) < 0 else "more often"
    what = "triggers as it should" if change.what == "trigger" else "holds"
    return f"{name(change.target)} {what} {word}: {change.held_now} of {change.n_now}, was {change.held_then} of {change.n_then}"
