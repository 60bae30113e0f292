"""What one lock says otherwise than another, a line for each difference."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from selftune_build.lock.parsing import LockReading
from selftune_build.model.lock import Row


def lock_lines(before: LockReading, after: LockReading) -> Iterator[str]:
    """Rows and verdicts that are not the same."""
    old, new = _statements(before), _statements(after)
    for subject in sorted(old.keys() | new.keys()):
        was, now = old.get(subject), new.get(subject)
        if was != now:
            told = [each[0] if each is not None else "nothing" for each in (now, was)]
            yield f"{subject}: {told[0]}, was {told[1]}" if told[0] != told[1] else f"{subject}: measured again, {told[0]}"


def _statements(reading: LockReading) -> dict[str, tuple[str, str]]:
    """Subject → what is said of it, and what it rests on."""
    said: dict[str, tuple[str, str]] = {}
    for lock in reading.locks[:1]:
        for agent, entry in lock.agents.items():
            said.update({f"{agent}, gate {gate}": (verdict, "") for gate, verdict in entry.gates.items()})
            for case, arms in entry.cases.items():
                said.update({f"{agent}, {case}, {arm}": (_counts(row), row.key + row.evidence) for arm, row in arms.items()})
    return said


def _counts(row: Row) -> str:
    triggered = "" if row.triggered is UNSET else f", {row.triggered} triggered"
    passed = "" if row.passed is UNSET else f", {row.passed} passed"
    return f"{row.n} sampled{triggered}{passed}"
