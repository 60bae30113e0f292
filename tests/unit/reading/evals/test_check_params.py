"""Checks as they are written, and as keys and judges have them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from selftune_build.errors import InputError
from selftune_build.fingerprint.digest import digest_json
from selftune_build.model.case import Check
from selftune_build.reading.evals import EvalReading
from selftune_build.reading.evals.content import check_data

Suite = Callable[..., EvalReading]
FILES = {"evals/files/wanted.md": b"# Report\n", "evals/files/wanted.png": b"\x89\xff"}


def read(suite: Suite, check: dict[str, Any]) -> Check:
    data = {"format": "selftune.evals/1", "cases": [{"id": "a", "prompt": "p", "checks": [check]}]}
    return suite({"evals/a.json": data, **FILES}, "evals/a.json").cases[0].checks[0]


@pytest.mark.parametrize(
    ("kind", "written", "params"),
    [
        ("json-path", {"path": "$.a", "equals": 1}, {"path": "$.a", "equals": 1}),
        ("json-path", {"path": "$.a", "equals": 0.5}, {"path": "$.a", "equals-json": "0.5"}),
        ("json-path", {"path": "$.a", "equals": None}, {"path": "$.a", "equals": None}),
        ("json-path", {"path": "/a", "exists": True}, {"path": "/a"}),
        ("json-path", {"path": "/a", "exists": False, "file": "./o.json"}, {"path": "/a", "exists": False, "file": "o.json"}),
        ("json-schema", {"schema": {"minimum": 0.5, "type": "number"}}, {"schema-json": '{"minimum": 0.5, "type": "number"}'}),
        ("json-schema", {"schema": {"type": "object"}}, {"schema": {"type": "object"}}),
        ("file-equals", {"path": "r.md", "expected": "evals/files/wanted.md"}, {"path": "r.md", "text": "# Report\n"}),
        ("file-equals", {"path": "p.png", "expected": "evals/files/wanted.png"}, {"path": "p.png", "base64": "if8="}),
        ("score", {"run": ["grade"], "min": 0.80}, {"run": ["grade"], "min": "0.8"}),
        ("score", {"run": ["grade"], "min": "0.80"}, {"run": ["grade"], "min": "0.8"}),
        ("score", {"run": ["grade"], "min": 1}, {"run": ["grade"], "min": "1"}),
        ("max-cost", 0.10, {"usd": "0.1"}),
        ("max-cost", {"usd": "10"}, {"usd": "10"}),
        ("max-seconds", 30, {"value": 30}),
        ("tool-order", ["Read", "Bash"], {"names": ["Read", "Bash"]}),
        ("tool-count", {"name": "Read", "max": 0}, {"name": "Read", "max": 0}),
        ("tool-called", {"name": "Bash", "arguments": {"/command": "^ls"}}, {"name": "Bash", "arguments": {"/command": "^ls"}}),
    ],
)
def test_a_check_is_kept_in_one_spelling_that_a_key_can_hold(
    evals: Suite, kind: str, written: Any, params: dict[str, Any]
) -> None:
    check = read(evals, {kind: written})
    assert check.params == params
    assert digest_json(check_data(check)).startswith("sha256:")


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("json-path", {"path": "a"}),
        ("json-path", {"path": "$["}),
        ("json-path", {"path": "$.a", "equals": 1, "pattern": "x"}),
        ("json-path", {"path": "$.a", "equals": 1, "exists": False}),
        ("json-path", {"path": "$.a", "pattern": "("}),
        ("json-schema", {"schema": {"type": "objct"}}),
        ("json-schema", {"schema": {"$ref": "https://example.com/s.json"}}),
        ("json-schema", {"schema": []}),
        ("file-equals", {"path": "a"}),
        ("file-equals", {"path": "a", "text": "x", "expected": "evals/files/wanted.md"}),
        ("file-equals", {"path": "a", "expected": "evals/files/none.md"}),
        ("score", {"run": ["grade"]}),
        ("score", {"run": ["grade"], "min": 1.1}),
        ("score", {"run": ["grade"], "min": "80%"}),
        ("max-cost", "-1"),
        ("max-cost", "1e-7"),
        ("max-turns", 0.5),
        ("tool-order", []),
        ("tool-count", {"name": "Read"}),
        ("tool-count", {"name": "Read", "min": 2, "max": 1}),
        ("tool-called", {"name": "Bash", "arguments": {"command": "ls"}}),
        ("tool-called", {"name": "Bash", "arguments": {"/command": "("}}),
    ],
)
def test_what_cannot_be_judged_is_refused_with_its_place(evals: Suite, kind: str, written: Any) -> None:
    with pytest.raises(InputError) as caught:
        read(evals, {kind: written})
    assert caught.value.at is not None
    assert str(caught.value.at.pointer).startswith(f"/cases/0/checks/0/{kind}")


@pytest.mark.parametrize("kind", ["tool-order", "max-turns", "max-cost", "tool-count"])
def test_what_only_an_agent_can_meet_is_refused_for_a_script(unit_tests: Suite, kind: str) -> None:
    written: dict[str, Any] = {"tool-order": ["a"], "max-turns": 1, "max-cost": 1, "tool-count": {"name": "a", "min": 1}}
    case = {"id": "a", "run": ["ls"], "checks": [{kind: written[kind]}]}
    with pytest.raises(InputError, match="`prompt`"):
        unit_tests({"tests/a.json": json.dumps({"format": "selftune.unit-tests/1", "cases": [case]}).encode()})


def test_a_check_of_a_plugin_has_an_id_a_weight_and_an_arm_too(evals: Suite) -> None:
    check = read(evals, {"tone/1": {"polite": True}, "id": "tone", "weight": 2, "arm": "with_skill"})
    assert (check.kind, check.id, check.weight) == ("tone/1", "tone", 2)
    assert check_data(check)["arms"] == ["with_skill"]
