"""Three locks → one, row by row, where no tree is at hand to compute keys from: what git calls a merge driver.

Of a row that one side alone changed, that side's is taken; of two new measurements under one key the larger, as when markers
heal (DESIGN 8.3). A row that both changed to different keys is measured by neither any more: it is left out, which is stale.
What is derived (tree, policy, verdicts) is taken from the side that changed it; where both did, ours stands until the next build.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from msgspec.structs import replace

from selftune_build.model.lock import AgentEntry, Lock, Row

Part = TypeVar("Part")


def merge_locks(base: Lock | None, ours: Lock, theirs: Lock) -> Lock:
    """The merged lock; `base` None where the two have no common one. Both have to be of one package."""
    before = base or Lock(ours.package, "", "")
    agents = _merged(before.agents, ours.agents, theirs.agents, _merge_entries)
    merged = replace(
        ours,
        tree=_derived(before.tree, ours.tree, theirs.tree),
        policy=_derived(before.policy, ours.policy, theirs.policy),
        agents=agents,
        revision=max(ours.revision, theirs.revision),
        surface=_derived(before.surface, ours.surface, theirs.surface),
        accepted=_derived(before.accepted, ours.accepted, theirs.accepted),
        extra=theirs.extra | ours.extra,
        package_extra=theirs.package_extra | ours.package_extra,
        signatures={},
    )
    return next((side for side in (ours, theirs) if replace(side, signatures={}) == merged), merged)


def larger_row(one: Row, other: Row) -> Row:
    """Of two rows of one key the one with more samples, then the one with the smaller digest of evidence."""
    return min(one, other, key=lambda row: (-row.n, row.evidence))


def _merged(
    base: Mapping[str, Part],
    ours: Mapping[str, Part],
    theirs: Mapping[str, Part],
    both: Callable[[Part | None, Part, Part], Part | None],
) -> dict[str, Part]:
    """By name: what one side removed, added or changed is so; `both` decides where both have it and differ."""
    found: dict[str, Part] = {}
    for name in sorted({*ours, *theirs}):
        part = _merge(base.get(name), ours.get(name), theirs.get(name), both)
        if part is not None:
            found[name] = part
    return found


def _merge(
    base: Part | None, ours: Part | None, theirs: Part | None, both: Callable[[Part | None, Part, Part], Part | None]
) -> Part | None:
    if ours == theirs or theirs == base:
        return ours
    if ours == base:
        return theirs
    return both(base, ours, theirs) if ours is not None and theirs is not None else None


def _merge_entries(base: AgentEntry | None, ours: AgentEntry, theirs: AgentEntry) -> AgentEntry:
    before = base or AgentEntry({}, "")
    cases = _merged(before.cases, ours.cases, theirs.cases, _merge_arms)
    return replace(
        ours,
        identity=_derived(before.identity, ours.identity, theirs.identity),
        origin=_derived(before.origin, ours.origin, theirs.origin),
        judge=_derived(before.judge, ours.judge, theirs.judge),
        cases={case: arms for case, arms in cases.items() if arms},
        gates=_merged(before.gates, ours.gates, theirs.gates, lambda base, ours, theirs: ours),
        extra=theirs.extra | ours.extra,
    )


def _merge_arms(base: dict[str, Row] | None, ours: dict[str, Row], theirs: dict[str, Row]) -> dict[str, Row]:
    return _merged(base or {}, ours, theirs, _merge_rows)


def _merge_rows(base: Row | None, ours: Row, theirs: Row) -> Row | None:
    return larger_row(ours, theirs) if ours.key == theirs.key else None


def _derived(base: Part, ours: Part, theirs: Part) -> Part:
    return theirs if ours == base else ours
