"""Three locks → one, where no tree is at hand."""

from __future__ import annotations

from hypothesis import given
from msgspec.structs import replace

from selftune_build.lock.merge import larger_row, merge_locks
from selftune_build.lock.parsing import read_lock
from selftune_build.lock.rendering import render
from selftune_build.model.lock import AgentEntry, Lock, Row
from tests.unit.lock.locks import LOCK, ROW, digest, locks


def rows(lock: Lock) -> dict[tuple[str, str, str], Row]:
    """Every row by agent, case and arm."""
    return {
        (agent, case, arm): row
        for agent, entry in lock.agents.items()
        for case, arms in entry.cases.items()
        for arm, row in arms.items()
    }


@given(locks, locks)
def test_what_one_side_left_alone_is_as_the_other_has_it(base: Lock, changed: Lock) -> None:
    changed = replace(changed, package=base.package)
    assert merge_locks(base, base, base) == base
    assert rows(merge_locks(base, changed, base)) == rows(changed)
    assert rows(merge_locks(base, base, changed)) == rows(changed)


@given(locks, locks, locks)
def test_every_row_of_a_merge_is_one_of_a_side_and_the_merge_is_a_lock(base: Lock, ours: Lock, theirs: Lock) -> None:
    ours, theirs = replace(ours, package=base.package), replace(theirs, package=base.package)
    merged = merge_locks(base, ours, theirs)
    assert all(row in (rows(ours).get(place), rows(theirs).get(place)) for place, row in rows(merged).items())
    assert read_lock(render(merged)).problems == ()
    assert rows(merged) == rows(merge_locks(base, theirs, ours))


def with_row(lock: Lock, case: str, row: Row | None) -> Lock:
    """The lock with another row of the agent `house`, or without it."""
    entry = lock.agents["house"]
    cases = {name: arms for name, arms in entry.cases.items() if name != case}
    return replace(
        lock, agents={**lock.agents, "house": replace(entry, cases=cases | ({case: {"with_skill": row}} if row else {}))}
    )


NEW, OTHER = replace(ROW, key=digest("9")), replace(ROW, key=digest("8"))


def test_a_row_that_both_measured_under_different_keys_is_stale_and_the_others_stay() -> None:
    merged = merge_locks(LOCK, with_row(LOCK, "chat", NEW), with_row(LOCK, "chat", OTHER))
    assert set(merged.agents["house"].cases) == {"fill", "pours"}


def test_of_two_measurements_under_one_key_the_larger_stays_then_the_smaller_digest() -> None:
    more = replace(NEW, n=5, evidence=digest("e"))
    less = replace(NEW, n=4, evidence=digest("a"))
    assert larger_row(more, less) == larger_row(less, more) == more
    merged = merge_locks(LOCK, with_row(LOCK, "chat", less), with_row(LOCK, "chat", more))
    assert merged.agents["house"].cases["chat"]["with_skill"] == more
    same = replace(more, evidence=digest("0"))
    assert larger_row(more, same) == larger_row(same, more) == same


def test_a_row_that_one_side_removed_is_gone_unless_the_other_measured_it_anew() -> None:
    assert "chat" not in merge_locks(LOCK, with_row(LOCK, "chat", None), LOCK).agents["house"].cases
    assert "chat" not in merge_locks(LOCK, with_row(LOCK, "chat", None), with_row(LOCK, "chat", NEW)).agents["house"].cases


def test_derived_parts_come_from_the_side_that_changed_them_and_ours_where_both_did() -> None:
    ours, theirs = replace(LOCK, tree=digest("c")), replace(LOCK, tree=digest("d"), policy=digest("e"))
    merged = merge_locks(LOCK, ours, theirs)
    assert (merged.tree, merged.policy) == (digest("c"), digest("e"))


def test_without_a_common_lock_both_sides_count() -> None:
    guest = AgentEntry({"plugin": "third"}, "live")
    merged = merge_locks(None, LOCK, replace(LOCK, agents={"third": guest}))
    assert set(merged.agents) == {"guest", "house", "third"}


def test_an_agent_or_verdict_that_one_side_removed_is_gone() -> None:
    without = replace(LOCK, agents={"house": LOCK.agents["house"]})
    assert set(merge_locks(LOCK, without, LOCK).agents) == {"house"}


def test_fields_of_a_newer_release_survive() -> None:
    ours, theirs = replace(LOCK, revision=2, extra={"a": 1}), replace(LOCK, revision=3, extra={"b": 2})
    merged = merge_locks(LOCK, ours, theirs)
    assert (merged.revision, merged.extra) == (3, {"a": 1, "b": 2})
