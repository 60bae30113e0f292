"""One rendering for each lock."""

from __future__ import annotations

import json
import re

from hypothesis import given
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from selftune_build.lock.parsing import LockReading, read_lock
from selftune_build.lock.rendering import canonical, render
from selftune_build.model.lock import AgentEntry, Lock
from tests.unit.lock.locks import LATER, LOCK, SCHEMA, SIGNED, digest, document, locks, written


def test_a_lock_is_written_one_scalar_a_line_with_sorted_keys_and_a_newline_at_the_end() -> None:
    small = Lock("pdf", digest("a"), digest("b"), {"house": AgentEntry({"plugin": "é\n"}, "live")})
    text = re.sub(r'"seal": "sha256:[0-9a-f]{64}"', '"seal": "…"', render(small).decode())
    assert text.splitlines()[:8] == [
        "{",
        ' "agents": {',
        '  "house": {',
        '   "cases": {},',
        '   "gates": {},',
        '   "identity": {',
        '    "plugin": "é\\n",',
        '    "seal": "…"',
    ]
    assert text.endswith(' "policy": "' + digest("b") + '",\n "revision": 1,\n "version": 1\n}\n')


def test_no_line_holds_more_than_one_value() -> None:
    lines = render(LOCK).decode().split("\n")
    assert [line for line in lines if line.count('": ') > 1 or len(re.findall(r"[{}\[\]]", line)) > 2] == []


@given(locks)
def test_what_was_written_is_read_back_whole_and_written_the_same(lock: Lock) -> None:
    content = render(lock)
    assert read_lock(content) == LockReading((lock,), ())
    assert render(read_lock(content).locks[0]) == content


@given(locks)
def test_every_lock_that_is_written_satisfies_the_schema(lock: Lock) -> None:
    Draft202012Validator(SCHEMA).validate(json.loads(render(lock)))


def test_the_order_in_which_things_were_found_is_not_in_the_lock() -> None:
    entries = {name: replace(entry, cases=dict(reversed(entry.cases.items()))) for name, entry in LOCK.agents.items()}
    assert render(replace(LOCK, agents=dict(reversed(entries.items())))) == render(LOCK)


def test_fields_of_a_newer_revision_survive_wherever_they_stand() -> None:
    newer = document()
    newer["revision"] = 4
    house = newer["agents"]["house"]
    for place in (newer, newer["package"], house, house["identity"], house["cases"]["fill"]["with_skill"]):
        place["waived"] = {"by": ["somebody"], "n": 2}
    content = written(newer)
    (lock,) = read_lock(content).locks
    assert render(lock) == content
    assert b'"waived"' not in render(LOCK)
    assert render(replace(lock, tree=digest("c"))).count(b'"waived"') == 5


def test_a_lock_with_nothing_of_revision_two_is_of_revision_one_whatever_it_was_before() -> None:
    assert render(replace(LOCK, revision=2)) == render(LOCK)
    assert json.loads(render(LATER))["revision"] == 2
    assert json.loads(render(replace(LATER, revision=4)))["revision"] == 2
    assert json.loads(render(replace(LATER, revision=4, extra={"new": 1})))["revision"] == 4


def test_signatures_are_read_back_as_they_were_written_and_a_lock_without_them_needs_no_third_revision() -> None:
    (lock,) = read_lock(render(SIGNED)).locks
    assert (lock, lock.revision) == (replace(SIGNED, revision=3), 3)
    assert render(replace(lock, signatures={})) == render(LATER)


def test_base64_in_another_spelling_is_malformed() -> None:
    assert [each.code for each in read_lock(written({**document(SIGNED), "signatures": {"a": "c2lnbh=="}})).problems] == [
        "lock-malformed"
    ]


def test_what_was_accepted_and_the_surface_are_read_back_as_they_were_written() -> None:
    (lock,) = read_lock(render(LATER)).locks
    assert (lock.surface, lock.accepted) == (LATER.surface, LATER.accepted)


def test_a_reason_that_was_changed_by_hand_is_tampering() -> None:
    document = json.loads(render(LATER))
    (keys,) = document["accepted"].values()
    next(iter(keys.values()))["reason"] = "Never mind."
    assert [problem.code for problem in read_lock(canonical(document)).problems] == ["lock-tampered"]
