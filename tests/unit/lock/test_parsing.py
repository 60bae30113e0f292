"""What is no lock is named, and nothing that is read can raise or take long."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selftune_build.limits import LOCK_BYTES
from selftune_build.lock.parsing import LockReading, read_lock
from selftune_build.lock.rendering import render
from selftune_build.model.lock import Lock
from tests.unit.lock.locks import LOCK, digest, document, locks, written

GOOD = render(LOCK)
KNOWN = {"lock-malformed", "lock-conflict", "lock-from-the-future", "lock-tampered"}


def codes(content: bytes) -> list[str]:
    return [problem.code for problem in read_lock(content).problems]


MALFORMED: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda good: b"",
    "no JSON": lambda good: b"version: 1\n",
    "a list": lambda good: b"[]\n",
    "no object but a text": lambda good: b'"lock"\n',
    "a key twice": lambda good: good.replace(b' "version": 1\n', b' "version": 1,\n "version": 1\n'),
    "a case twice": lambda good: good.replace(b'    "chat": {', b'    "chat": {},\n    "chat": {'),
    "a float": lambda good: good.replace(b'"n": 3', b'"n": 3.0', 1),
    "an exponent": lambda good: good.replace(b'"n": 3', b'"n": 3e0', 1),
    "not a number": lambda good: good.replace(b'"n": 3', b'"n": NaN', 1),
    "infinity": lambda good: good.replace(b'"n": 3', b'"n": -Infinity', 1),
    "minus nought": lambda good: good.replace(b'"passed": 0', b'"passed": -0', 1),
    "an integer of 5000 digits": lambda good: good.replace(b'"n": 3', b'"n": ' + b"9" * 5000, 1),
    "an integer of 4000 digits": lambda good: good.replace(b'"n": 3', b'"n": ' + b"9" * 4000, 1),
    "a raw control character": lambda good: good.replace(b'"pdf:body"', b'"pdf:\x01body"', 1),
    "an escaped letter": lambda good: good.replace(b'"pdf:body"', b'"\\u0070df:body"', 1),
    "a lone surrogate": lambda good: good.replace(b'"pdf:body"', b'"\\ud800"', 1),
    "no UTF-8": lambda good: good.replace(b'"pdf:body"', b'"\xff"', 1),
    "UTF-16": lambda good: good.decode().encode("utf-16"),
    "a byte order mark": lambda good: b"\xef\xbb\xbf" + good,
    "Windows line ends": lambda good: good.replace(b"\n", b"\r\n"),
    "no newline at the end": lambda good: good.rstrip(b"\n"),
    "two newlines at the end": lambda good: good + b"\n",
    "a second document": lambda good: good + good,
    "another indent": lambda good: json.dumps(json.loads(good), indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n",
    "unsorted keys": lambda good: json.dumps(dict(reversed(json.loads(good).items())), indent=1).encode() + b"\n",
    "a comment": lambda good: good.replace(b"{\n", b"{\n // ours\n", 1),
    "nested 300 deep": lambda good: good.replace(b'"n": 3', b'"n": ' + b"[" * 300 + b"]" * 300, 1),
    "nested 200000 deep": lambda good: b"[" * 200_000,
    "objects nested 50000 deep": lambda good: b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "a list of two million numbers on one line": lambda good: b'{"a": [' + b"1," * 2_000_000 + b"1]}\n",
    "nothing but zero bytes": lambda good: b"\0" * 1000,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_not_its_own_canonical_rendering_is_malformed(name: str) -> None:
    content = MALFORMED[name](GOOD)
    assert content != GOOD
    assert codes(content) == ["lock-malformed"]
    assert read_lock(content).locks == ()


def test_a_lock_that_is_too_large_is_not_even_parsed() -> None:
    reading = read_lock(b" " * (LOCK_BYTES + 1))
    assert [problem.code for problem in reading.problems] == ["lock-malformed"]
    assert "larger" in reading.problems[0].message


def test_a_lock_that_was_cut_off_anywhere_is_malformed() -> None:
    assert {tuple(codes(GOOD[:length])) for length in range(len(GOOD))} == {("lock-malformed",)}


@pytest.mark.parametrize("version", [2, 3, 10**30])
def test_a_newer_version_is_refused_whatever_else_it_holds(version: int) -> None:
    newer = {"version": version, "evidence": "in a form that nobody here knows"}
    assert codes(json.dumps(newer).encode()) == ["lock-from-the-future"]


@pytest.mark.parametrize("version", [0, -1, True, "1", None, [2]])
def test_what_was_never_a_version_is_malformed(version: object) -> None:
    assert codes(written({**document(), "version": version})) == ["lock-malformed"]


def test_fields_that_nobody_knows_are_refused_unless_the_revision_is_newer() -> None:
    unknown = {**document(), "later": 1}
    assert codes(written(unknown)) == ["lock-malformed"]
    assert "'later'" in read_lock(written(unknown)).problems[0].message
    assert codes(written({**unknown, "revision": 4})) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"triggered": 4}, "triggered"),
        ({"passed": 4}, "passed"),
        ({"observed": ["pdf:file:a.md", "pdf:body"]}, "observed"),
        ({"n": 0}, "'n'"),
    ],
)
def test_a_row_that_cannot_be_is_malformed_although_its_seal_holds(changes: dict[str, object], says: str) -> None:
    changed = document()
    changed["agents"]["house"]["cases"]["fill"]["with_skill"].update(changes)
    (problem,) = read_lock(written(changed)).problems
    assert (problem.code, says in problem.message) == ("lock-malformed", True)


def sound(reading: LockReading) -> bool:
    """Whether a reading says something: a lock, or a problem with a code that there is."""
    return {problem.code for problem in reading.problems} <= KNOWN and bool(reading.locks or reading.problems)


@given(st.binary(max_size=400))
def test_any_bytes_are_read(content: bytes) -> None:
    assert sound(read_lock(content))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3) | st.sampled_from(["version", "revision", "package", "agents", "seal"]), inner)
    ),
    max_leaves=15,
)


@given(_json)
def test_any_json_is_read(value: object) -> None:
    assert sound(read_lock(json.dumps(value, indent=1, sort_keys=True).encode() + b"\n"))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(locks, st.data())
def test_any_lock_with_bytes_changed_is_read(lock: Lock, data: st.DataObject) -> None:
    content = bytearray(render(lock))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(len(content), start + 20)))
        content[start:end] = data.draw(
            st.binary(max_size=6) | st.sampled_from([b"<<<<<<< a\n", b"=======\n", b"\r\n", b"{", b'"'])
        )
    assert sound(read_lock(bytes(content)))


@given(locks, st.data())
def test_any_lock_with_one_value_replaced_is_read_and_never_half_believed(lock: Lock, data: st.DataObject) -> None:
    changed = document(lock)
    holder: object = changed
    for _ in range(data.draw(st.integers(0, 5))):
        inner = [value for value in holder.values() if isinstance(value, dict) and value] if isinstance(holder, dict) else []
        if not inner:
            break
        holder = data.draw(st.sampled_from(inner))
    assert isinstance(holder, dict)
    holder[data.draw(st.sampled_from(sorted(holder)))] = data.draw(_json.filter(lambda value: "." not in json.dumps(value)))
    try:
        content = written(changed)
    except (
        UnicodeEncodeError,
        ValueError,
        TypeError,
    ):  # surrogates and floats are no canonical lock: their bytes are tested above
        return
    reading = read_lock(content)
    assert sound(reading)
    assert all(render(each) == content for each in reading.locks if not reading.problems)


def test_two_locks_that_differ_are_never_read_as_equal() -> None:
    other = document()
    other["package"]["tree"] = digest("e")
    assert read_lock(written(other)).locks != read_lock(GOOD).locks
