"""What the manifest takes out of a verdict, with the reason that it gives: gates, findings, rows. Every report says it alike."""

from __future__ import annotations

from collections.abc import Iterator

from selftune_build.model.report import Accepted, PackageReport, Report
from selftune_build.report.cells import name, sentence


def decided_by_hand(package: PackageReport) -> Iterator[str]:
    """A line for each gate that is switched off, then one for each finding and each row that is accepted. Safe to show."""
    for gate, why in sorted(package.switched_off.items()):
        yield f"gate {name(gate)} of {name(package.name)} is switched off: {sentence(why)}"
    yield from (f"accepted: {accepted_line(one)}" for one in package.accepted)


def accepted_line(one: Accepted) -> str:
    """What is accepted and why. Safe to show."""
    if one.finding is None:
        return f"{name(one.target)} as it is: {sentence(one.reason)}"
    place = f"{name(str(one.finding.at))}: " if one.finding.at is not None else ""
    return f"{place}{sentence(one.finding.message)} [{name(one.finding.code)}]: {sentence(one.reason)}"


def accepted_count(report: Report) -> int:
    """How many findings and rows are accepted; one that several agents share counts once."""
    return len({(package.path, one.target) for package in report.packages for one in package.accepted})


def accepted_note(count: int) -> str:
    """`, 2 accepted`: what stands behind a verdict, nothing where nothing is accepted."""
    return f", {count} accepted" if count else ""
