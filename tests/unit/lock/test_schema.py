"""The schema and the reader of the lock refuse the same documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from selftune_build.lock.parsing import read_lock
from tests.property.kitchen import kitchen
from tests.unit.lock.locks import LATER, LOCK, SCHEMA, SIGNED, Document, digest, document, written

VALIDATOR = Draft202012Validator(SCHEMA)
FILL = ("agents", "house", "cases", "fill")
ROW = (*FILL, "with_skill")


def put(*path: Any) -> Callable[[Document], None]:
    """Sets what stands at all but the last of `path`."""
    *holders, name, value = path

    def change(whole: Document) -> None:
        for holder in holders:
            whole = whole[holder]
        whole[name] = value

    return change


def drop(*path: str) -> Callable[[Document], None]:
    """Takes out what stands at `path`."""
    *holders, name = path

    def change(whole: Document) -> None:
        for holder in holders:
            whole = whole[holder]
        del whole[name]

    return change


BAD = [
    *(drop(name) for name in ("version", "revision", "package", "policy", "agents")),
    *(drop("package", name) for name in ("name", "tree")),
    *(drop("agents", "house", name) for name in ("identity", "origin", "cases", "gates")),
    *(drop(*ROW, name) for name in ("key", "observed", "n", "evidence")),
    *(put("version", value) for value in (0, -1, "1", None)),
    *(put("revision", value) for value in (0, -3, "1", None, [])),
    *(put("package", value) for value in (None, "pdf", [], {})),
    *(put("package", "name", value) for value in ("", 1, None)),
    *(
        put("package", "tree", value)
        for value in ("", "absent", digest("A"), digest("a")[:-1], digest("a") + "\n", "xxh3:" + "a" * 32, 7)
    ),
    *(put("policy", value) for value in ("", None, "md5:aa", {})),
    *(put("agents", value) for value in (None, [], "house", {"house": None}, {"house": []})),
    *(put("agents", "house", "identity", value) for value in (None, "command", [])),
    *(put("agents", "house", "origin", value) for value in ("", "dreamed", None, 1, "Live")),
    *(put("agents", "house", "gates", value) for value in ([], None, {"lift": "maybe"}, {"lift": None}, {"lift": True})),
    *(put("agents", "house", "cases", value) for value in (None, [], {"fill": None}, {"fill": {}}, {"fill": []})),
    put(*FILL, "with_luck", {}),
    *(put(*ROW, value) for value in (None, [], "row", 3)),
    *(put(*ROW, "key", value) for value in ("", "sha256:", digest("g"), None)),
    *(put(*ROW, "observed", value) for value in (None, "pdf:body", {}, [1], [""], ["a", "a"], [None])),
    *(put(*ROW, "n", value) for value in (0, -1, "3", None, True, 10**7, [])),
    *(put(*ROW, "triggered", value) for value in (-1, "3", None, False, 10**7)),
    *(put(*ROW, "passed", value) for value in (-1, "3", None, True)),
    *(put(*ROW, "evidence", value) for value in (None, "", "sha256:12")),
    *(put(*path, "unknown", 1) for path in ((), ("package",), ("agents", "house"), ROW)),
]
GOOD = [
    lambda whole: None,
    put("agents", {}),
    put("agents", "house", "gates", {}),
    put("agents", "house", "cases", {}),
    put("agents", "house", "identity", {"deep": {"er": [1, None, True, "x"]}}),
    put("agents", "house", "origin", "recorded"),
    put(*ROW, "observed", []),
    put(*ROW, "n", 1_000_000),
    drop(*ROW, "triggered"),
    drop(*ROW, "passed"),
    drop(*FILL, "without_skill"),
    put("agents", "house", "cases", "\x1b[2J\u2028", {"script": document()["agents"]["house"]["cases"]["pours"]["script"]}),
]

WAIVER = ("accepted", "pdf:security[security-secret]")
LATER_BAD = [
    put("revision", 1),
    *(put("package", "surface", value) for value in ([], None, "host:a", [1], [""], ["host:a", "host:a"])),
    *(put("accepted", value) for value in ({}, None, [], {"pdf:spec[x]": {}}, {"pdf:spec[x]": None})),
    *(put(*WAIVER, digest("c"), value) for value in (None, "why", {}, {"reason": ""}, {"reason": 1}, {"reason": "x", "more": 1})),
]
LATER_GOOD = [lambda whole: None, drop("accepted"), drop("package", "surface"), put("package", "surface", ["later:a"])]

SIGNED_BAD = [
    *(put("revision", value) for value in (1, 2)),
    *(put("signatures", value) for value in ({}, None, [], {"": "c2ln"}, {str(number): "c2ln" for number in range(17)})),
    *(put("signatures", "a", value) for value in (None, "", 1, "no base64", "c2ln\n", {})),
]
SIGNED_GOOD = [lambda whole: None, put("signatures", {"a": "c2ln", "b": "c2lnbg=="})]


SIDES = ((LOCK, BAD, GOOD), (LATER, LATER_BAD, LATER_GOOD), (SIGNED, SIGNED_BAD, SIGNED_GOOD))
REFUSED = [(lock, change) for lock, bad, _ in SIDES for change in bad]
ACCEPTED = [(lock, change) for lock, _, good in SIDES for change in good]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_a_malformed_document_is_refused_by_both(number: int) -> None:
    lock, change = REFUSED[number]
    changed = document(lock)
    change(changed)
    content = written(changed)
    assert not VALIDATOR.is_valid(json.loads(content))
    assert [problem.code for problem in read_lock(content).problems] == ["lock-malformed"]


@pytest.mark.parametrize("number", range(len(ACCEPTED)))
def test_a_sound_document_is_accepted_by_both(number: int) -> None:
    lock, change = ACCEPTED[number]
    changed = document(lock)
    change(changed)
    content = written(changed)
    VALIDATOR.validate(json.loads(content))
    assert read_lock(content).problems == ()


@pytest.mark.parametrize("path", [("package", "seal"), ("agents", "house", "identity", "seal"), (*ROW, "seal")])
@pytest.mark.parametrize("seal", [None, "", "none", 1])
def test_a_seal_that_is_none_is_refused_by_both(path: tuple[str, ...], seal: object) -> None:
    for change in (drop(*path), put(*path, seal)):
        changed = document()
        change(changed)
        assert not VALIDATOR.is_valid(changed)
        assert [problem.code for problem in read_lock(written(changed, seals=False)).problems] == ["lock-malformed"]


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_locks_of_real_builds_satisfy_it(tmp_path: Path) -> None:
    workspace = kitchen(tmp_path / "workspace", tmp_path / "ledger")
    assert workspace.build("--max-calls", "3").status == 3
    partial = workspace.locks()
    assert workspace.build().status == 0
    complete = workspace.locks()
    assert partial != complete
    for content in (*partial.values(), *complete.values()):
        VALIDATOR.validate(json.loads(content))
        assert read_lock(content).problems == ()
