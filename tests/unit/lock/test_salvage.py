"""Sides of conflicts that are no JSON."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftune_build.lock.parsing import read_lock
from selftune_build.lock.rendering import render
from selftune_build.lock.salvage import salvaged
from selftune_build.model.lock import Lock
from tests.unit.lock.locks import LOCK, locks


@given(locks)
def test_of_a_whole_lock_everything_is_found(lock: Lock) -> None:
    assert salvaged(render(lock)) == render(lock)


@given(locks, st.data())
def test_of_lines_that_are_gone_nothing_but_their_parts_is_lost_and_nothing_is_made_up(lock: Lock, data: st.DataObject) -> None:
    lines = render(lock).splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 4))):
        del lines[data.draw(st.integers(0, len(lines) - 1))]
        if not lines:
            return
    try:
        reading = read_lock(salvaged(b"".join(lines)))
    except ValueError:
        return
    for side in reading.locks:
        for agent, entry in side.agents.items():
            for case, arms in entry.cases.items():
                for arm, row in arms.items():
                    assert lock.agents[agent].cases[case][arm] == row


def test_braces_that_are_gone_cost_nothing() -> None:
    lines = [line for line in render(LOCK).decode().split("\n") if line.strip() not in ("}", "},", "],", "]")]
    assert salvaged("\n".join(lines).encode()) == render(LOCK)


def test_a_row_of_two_halves_is_left_out_and_the_others_stay() -> None:
    content = render(LOCK).replace(b'"passed": 2', b'"passed": 3')
    (lock,) = read_lock(salvaged(content)).locks
    assert set(lock.agents["house"].cases["fill"]) == {"without_skill"}
    assert set(lock.agents["house"].cases) == {"fill", "chat", "pours"}


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"x", b"{\n", b' "package": 1\n', b' "package": {\n  "name": 1\n', b" " * 9_999]
)
def test_lines_that_tell_of_no_package_are_no_lock(content: bytes) -> None:
    with pytest.raises(ValueError):
        salvaged(content)


def test_rubbish_among_the_lines_is_passed_over() -> None:
    chance = random.Random(7)
    lines = render(LOCK).decode().split("\n")
    for rubbish in ("", "   {{{", '  "x": [[[', "\\", "     ]", ' "agents": 1x', ' "\\x": 1', '      "\\ud800": {'):
        lines.insert(chance.randrange(1, len(lines)), rubbish)
    for lock in read_lock(salvaged("\n".join(lines).encode())).locks:
        assert lock.package == "pdf"


@pytest.mark.parametrize(
    "value", [b"1.5", b"NaN", b"1e999", b"-Infinity", b'"\\ud800"', b"9" * 5_000, b"null", b"{}", b"[", b"{"]
)
@pytest.mark.parametrize("field", [b'"passed": 2', b'"version": 1', b'"revision": 1', b'"plugin": "command"', b'"name": "pdf"'])
def test_a_value_that_no_lock_has_costs_its_part_and_never_raises(field: bytes, value: bytes) -> None:
    content = render(LOCK)
    assert content.count(field) == 1
    damaged = content.replace(field, field.partition(b": ")[0] + b": " + value)
    reading = read_lock(b"<<<<<<< ours\n" + damaged + b"=======\n}{\n" + content + b">>>>>>> theirs\n")
    assert LOCK.agents in [lock.agents for lock in reading.locks]
    assert reading.problems[0].code == "lock-conflict"
