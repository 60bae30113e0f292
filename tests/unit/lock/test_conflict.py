"""What is left of a lock that a merge could not reconcile."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from selftune_build.lock.conflict import conflict_sides, has_markers
from selftune_build.lock.parsing import read_lock
from selftune_build.lock.rendering import render
from selftune_build.model.lock import Lock
from tests.unit.lock.locks import LOCK, digest

OURS, THEIRS, BASE = (replace(LOCK, tree=digest(character)) for character in "123")


def lines_of(lock: Lock) -> tuple[bytes, bytes, bytes]:
    """The rendering before, within and after what differs between our three locks: the package with its seal."""
    content = render(lock)
    start, end = content.index(b' "package": {'), content.index(b' "policy"')
    return content[:start], content[start:end], content[end:]


def merged(*parts: bytes) -> bytes:
    before, _, after = lines_of(LOCK)
    return before + b"".join(parts) + after


A, B, C = (lines_of(lock)[1] for lock in (OURS, THEIRS, BASE))
TWO_WAY = merged(b"<<<<<<< HEAD\n", A, b"=======\n", B, b">>>>>>> topic\n")
DIFF3 = merged(b"<<<<<<< HEAD\n", A, b"||||||| 1234567\n", C, b"=======\n", B, b">>>>>>> topic\n")
NESTED_BASE = merged(
    *(b"<<<<<<< HEAD\n", A, b"||||||| merged common ancestors\n", b"<<<<<<<<< one\n", C, b"|||||||||\n", C, b"=========\n", B),
    *(b">>>>>>>>> two\n", b"=======\n", B, b">>>>>>> topic\n"),
)
NESTED = merged(
    *(b"<<<<<<< HEAD\n", b"<<<<<<< mine\n", A, b"=======\n", C, b">>>>>>> older\n"),
    *(b"=======\n", B, b">>>>>>> topic\n"),
)


@pytest.mark.parametrize("content", [TWO_WAY, DIFF3, NESTED_BASE, NESTED])
def test_both_sides_are_read_whole(content: bytes) -> None:
    reading = read_lock(content)
    assert reading.locks == (OURS, THEIRS)
    assert [problem.code for problem in reading.problems] == ["lock-conflict"]


def test_of_a_side_that_is_no_lock_the_parts_whose_seal_holds_are_kept() -> None:
    for ours, theirs, kept in ((A, B.replace(b'"tree"', b'"three"'), OURS), (b" rubbish\n", B, THEIRS)):
        reading = read_lock(merged(b"<<<<<<< HEAD\n", ours, b"=======\n", theirs, b">>>>>>> topic\n"))
        others = [lock for lock in reading.locks if lock != kept]
        assert len(others) == len(reading.locks) - 1 == (kept == OURS)
        assert {OURS.tree, THEIRS.tree}.isdisjoint(lock.tree for lock in others)
        assert [problem.code for problem in reading.problems] == ["lock-conflict"]


def test_of_two_sides_that_are_none_nothing_is_kept() -> None:
    reading = read_lock(merged(b"<<<<<<< HEAD\n", b"a\n", b"=======\n", b"b\n", b">>>>>>> topic\n"))
    assert reading.locks == ()
    assert [problem.code for problem in reading.problems] == ["lock-conflict"]


def test_a_row_put_together_from_both_sides_holds_on_neither() -> None:
    mixed = TWO_WAY.replace(b'"passed": 2', b'"passed": 1')
    for lock in read_lock(mixed).locks:
        assert "with_skill" not in lock.agents["house"].cases["fill"]
        assert "without_skill" in lock.agents["house"].cases["fill"]


def test_a_side_of_a_newer_version_is_said_to_be_one() -> None:
    newer = render(LOCK).replace(b' "version": 1\n', b'<<<<<<< HEAD\n "version": 1\n=======\n "version": 2\n>>>>>>> topic\n')
    reading = read_lock(newer)
    assert reading.locks == (LOCK,)
    assert [problem.code for problem in reading.problems] == ["lock-conflict", "lock-from-the-future"]


def test_line_ends_of_windows_in_a_conflict_are_no_lock() -> None:
    content = TWO_WAY.replace(b"\n", b"\r\n")
    assert has_markers(content)
    assert read_lock(content).locks == ()


@pytest.mark.parametrize(
    "content",
    [
        b"<<<<<<< HEAD\n",
        b"<<<<<<< a\n=======\n",
        b"=======\n>>>>>>> b\n",
        b"<<<<<<< a\n<<<<<<< b\n",
        b"<<<<<<<\n|||||||\n>>>>>>>\n",
    ],
)
def test_markers_that_close_nothing_lose_no_line(content: bytes) -> None:
    ours, theirs = conflict_sides(b"x\n" + content + b"y\n")
    assert (ours + theirs).count(b"x\n") == 2
    assert read_lock(content).locks == ()


def test_of_conflicts_within_conflicts_that_never_end_the_parts_are_found() -> None:
    reading = read_lock(b"<<<<<<< a\n" * 100_000 + render(LOCK) + b"a line\n" * 100_000)
    assert reading.locks == (LOCK,)
    assert [problem.code for problem in reading.problems] == ["lock-conflict"]


def test_a_lock_without_markers_is_its_own_two_sides() -> None:
    content = render(LOCK)
    assert not has_markers(content)
    assert conflict_sides(content) == (content, content)
