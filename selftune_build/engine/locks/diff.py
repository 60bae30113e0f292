"""What changed between two locks of a package, in words a reviewer can use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from msgspec import UNSET, Struct

from selftune_build.lock.parsing import LockReading
from selftune_build.model.case import Arm
from selftune_build.model.lock import AgentEntry, Lock, Row
from selftune_build.wording import counted

WORDS = {Arm.WITH_SKILL.value: "with the skill", Arm.WITHOUT_SKILL.value: "without the skill", Arm.SCRIPT.value: "as a script"}
_NONE = AgentEntry({}, "")
Part = TypeVar("Part")


class LockChange(Struct, frozen=True):
    """One difference: what it is about, which kind it is, and the sentence."""

    kind: str
    """`lock`, `tree`, `policy`, `agent`, `case` or `gate`."""
    message: str
    agent: str | None = None
    case: str | None = None
    arm: str | None = None


def lock_changes(before: LockReading, after: LockReading) -> list[LockChange]:
    """Every difference that somebody might want to look at; a lock that cannot be read is a difference of its own."""
    trouble = [*_trouble("before", before), *_trouble("now", after)]
    old, new = _only(before), _only(after)
    if old is None or new is None:
        return trouble
    return [*trouble, *_derived(old, new), *_agents(old, new)]


def _only(reading: LockReading) -> Lock | None:
    return reading.locks[0] if len(reading.locks) == 1 else None


def _trouble(when: str, reading: LockReading) -> Iterator[LockChange]:
    for problem in reading.problems:
        yield LockChange("lock", f"{when}: {problem.message}", problem.agent, problem.case, problem.arm)


def _derived(old: Lock, new: Lock) -> Iterator[LockChange]:
    if old.package != new.package:
        yield LockChange("lock", f"it is of the package {new.package}, and was of {old.package}")
    if old.tree != new.tree:
        yield LockChange("tree", "the files of the package are others")
    if old.policy != new.policy:
        yield LockChange("policy", "gates, samples or policy are others")
    yield from _surface(old, new)
    yield from _accepted(old, new)


def _surface(old: Lock, new: Lock) -> Iterator[LockChange]:
    """What the package can reach and run."""
    for name in sorted({*old.surface} ^ {*new.surface}):
        kind, _, what = name.partition(":")
        yield LockChange("surface", f"{'new' if name in new.surface else 'gone'}: {kind} {what}")


def _accepted(old: Lock, new: Lock) -> Iterator[LockChange]:
    for waiver in new.accepted:
        if waiver not in old.accepted:
            yield LockChange("accepted", f"{waiver.target} is accepted as it is: {waiver.reason}")
    for waiver in old.accepted:
        if waiver not in new.accepted:
            yield LockChange("accepted", f"{waiver.target} is accepted no more")


def _agents(old: Lock, new: Lock) -> Iterator[LockChange]:
    for name in sorted(old.agents.keys() | new.agents.keys()):
        before, after = old.agents.get(name), new.agents.get(name)
        if before is None:
            yield LockChange("agent", "evidence of one more agent", name)
        elif after is None:
            yield LockChange("agent", "there is no evidence of it any more", name)
        else:
            yield from _identity(name, before, after)
        yield from _cases(name, before or _NONE, after or _NONE)
        yield from _gates(name, before or _NONE, after or _NONE)


def _identity(name: str, before: AgentEntry, after: AgentEntry) -> Iterator[LockChange]:
    fields = before.identity.keys() | after.identity.keys()
    changed = sorted(field for field in fields if before.identity.get(field) != after.identity.get(field))
    if changed:
        yield LockChange("agent", f"it is another: {', '.join(changed)}", name)
    if before.origin != after.origin:
        yield LockChange("agent", f"its evidence is {after.origin}, and was {before.origin}", name)
    if before.judge != after.judge:
        who = [entry.judge.name if entry.judge is not None else "nobody" for entry in (after, before)]
        yield LockChange(
            "judge", f"judged by {who[0]}, and was by {who[1]}" if who[0] != who[1] else f"{who[0]} is another", name
        )


def _cases(name: str, before: AgentEntry, after: AgentEntry) -> Iterator[LockChange]:
    for case in sorted(before.cases.keys() | after.cases.keys()):
        old, new = before.cases.get(case, {}), after.cases.get(case, {})
        for arm in sorted(old.keys() | new.keys()):
            message = _row(old.get(arm), new.get(arm))
            if message is not None:
                yield LockChange("case", f"{message} {WORDS.get(arm, arm)}", name, case, arm)


def _row(old: Row | None, new: Row | None) -> str | None:
    if old == new:
        return None
    if old is None:
        return f"new: {_counts(new)}"
    if new is None:
        return f"removed, was {_counts(old)}"
    return f"{_what(old, new)}: {_counts(new)}" + ("" if _counts(new) == _counts(old) else f", was {_counts(old)}")


def _what(old: Row, new: Row) -> str:
    if old.evidence == new.evidence:
        return "judged again" if old.key == new.key else "the same evidence under another key"
    return "more samples" if old.key == new.key and new.n > old.n else "measured again"


def _counts(row: Row | None) -> str:
    if row is None:
        return "nothing"
    parts = [f"{row.passed} of {row.n} passed" if row.passed is not UNSET else counted(row.n, "sample")]
    if row.triggered is not UNSET:
        parts.append(f"{row.triggered} of {row.n} triggered")
    return ", ".join(parts)


def _gates(name: str, before: AgentEntry, after: AgentEntry) -> Iterator[LockChange]:
    for gate, was, now in _both(before.gates, after.gates):
        yield LockChange("gate", f"the gate {gate} says {now or 'nothing'}, and said {was or 'nothing'}", name)


def _both(before: Mapping[str, Part], after: Mapping[str, Part]) -> Iterable[tuple[str, Part | None, Part | None]]:
    names = sorted(before.keys() | after.keys())
    return ((name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name))
