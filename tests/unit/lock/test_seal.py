"""Seals find every change of one field, and every part that stands where it was not written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftune_build.lock.parsing import LockReading, read_lock
from selftune_build.lock.seal import holds, seal_of, sealed
from tests.unit.lock.locks import Document, digest, document, parts, written

PLACES = [place for place, _ in parts(document())]


def read(changed: Document) -> LockReading:
    return read_lock(written(changed, seals=False))


def other(value: Any) -> Any:
    """Another value of the same kind, which could stand there as well."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value - 1 if value > 1 else value + 1 if value == 1 else 1
    if isinstance(value, list):
        return value[:-1] if value else ["pdf:body"]
    return digest("f") if str(value).startswith("sha256:") else f"{value}x"


@pytest.mark.parametrize("place", PLACES)
def test_a_change_of_any_one_field_breaks_the_seal_of_its_part(place: str) -> None:
    part = dict(parts(document()))[place]
    for name in part:
        changed = document()
        found = dict(parts(changed))[place]
        found[name] = other(found[name])
        reading = read(changed)
        assert reading.problems, (place, name)
        assert {problem.code for problem in reading.problems} <= {"lock-tampered", "lock-malformed"}


@pytest.mark.parametrize("place", PLACES[1:])
def test_a_part_whose_seal_does_not_hold_is_left_out_and_nothing_else(place: str) -> None:
    changed = document()
    dict(parts(changed))[place]["seal"] = digest("f")
    (lock,) = read(changed).locks
    rows = {f"{name} {case} {arm}" for name, entry in lock.agents.items() for case, arms in entry.cases.items() for arm in arms}
    kept = rows | {f"identity of {name}" for name in lock.agents} | {"package"}
    lost = {each for each in PLACES if each == place or each.startswith(place.removeprefix("identity of ") + " ")}
    assert kept == set(PLACES) - lost


def test_the_problem_says_which_row_it_is_about() -> None:
    changed = document()
    changed["agents"]["house"]["cases"]["fill"]["with_skill"]["passed"] = 3
    ((problem,),) = (read(changed).problems,)
    assert (problem.code, problem.agent, problem.case) == ("lock-tampered", "house", "fill")


def test_a_row_that_was_moved_to_another_case_arm_agent_or_package_does_not_hold() -> None:
    for move in (
        lambda whole, cases: cases.update(other=cases.pop("fill")),
        lambda whole, cases: cases["chat"].update(without_skill=cases["chat"].pop("with_skill")),
        lambda whole, cases: whole["agents"]["guest"].update(cases={"chat": cases["chat"]}),
        lambda whole, cases: whole["package"].update(sealed({"name": "docx", "tree": digest("a")}, "package")),
    ):
        changed = document()
        move(changed, changed["agents"]["house"]["cases"])
        assert {problem.code for problem in read(changed).problems} == {"lock-tampered"}


def test_an_identity_that_was_given_to_another_agent_does_not_hold() -> None:
    changed = document()
    changed["agents"]["guest"]["identity"] = changed["agents"]["house"]["identity"]
    reading = read(changed)
    assert [problem.agent for problem in reading.problems] == ["guest"]
    assert list(reading.locks[0].agents) == ["house"]


def test_a_seal_that_somebody_computed_anew_holds_for_it_is_no_signature() -> None:
    changed = document()
    changed["agents"]["house"]["cases"]["fill"]["with_skill"]["passed"] = 3
    assert read_lock(written(changed)).problems == ()


_fields = st.dictionaries(
    st.text(max_size=5).filter(lambda name: name != "seal"),
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    max_size=4,
)


@given(_fields, _fields, st.lists(st.text(max_size=5), max_size=3))
def test_equal_seals_mean_equal_fields(one: Document, two: Document, place: list[str]) -> None:
    same = [(name, type(value), value) for name, value in sorted(one.items())] == [
        (name, type(value), value) for name, value in sorted(two.items())
    ]
    assert (seal_of(one, *place) == seal_of(two, *place)) is same
    assert holds(sealed(one, *place), *place)
    assert not holds(sealed(one, *place), *place, "")
