"""What is let through without jsonschema is what jsonschema has nothing to say about, for every schema of ours."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from selftune_build.errors import InputError
from selftune_build.reading.fitting import fits
from selftune_build.reading.schema import schema
from selftune_build.reading.strict_yaml import load

GOLDEN = Path(__file__).parents[2] / "golden"
MANIFEST = {
    "version": 1,
    "agent": ["house", "embedded"],
    "agents": {"house": {"type": "command", "argv": ["python3", "a.py"], "env": ["KEY"], "deterministic": True}},
    "judge": {"agent": "house", "votes": 3},
    "evals": ["evals/*.json"],
    "exclude": ["notes/**"],
    "competitors": {"nearest": 3},
    "samples": {"min": 3, "max": 9, "confidence": 0.95},
    "limits": {"timeout_s": 5},
    "budget": {"max_calls": 5, "max_cost_usd": "5.00"},
    "gates": {"lift": {"min": 0.05, "required": True}, "security": {"enabled": False, "reason": "none"}, "spec": {}},
    "policy": {"origins": ["live"], "plugins": []},
    "accepted": [{"target": "a", "key": "sha256:" + "0" * 64, "reason": "b"}],
}
WORKSPACE = {"version": 1, "workspace": {"members": ["skills/*"]}, "defaults": {"competitors": "none", "gates": {"spec": {}}}}
SUITE = {
    "format": "selftune.evals/1",
    "cases": [
        {"id": "a", "prompt": "Do it", "should_trigger": True, "checks": [{"contains": "a"}, {"exit": 0}], "tags": ["b"]},
        {"id": "b", "command": ["sh", "-c", "true"], "checks": [{"file-contains": {"path": "a", "text": "b"}}]},
    ],
}
STRANGE: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    1.0,
    2.5,
    10**9,
    "",
    "a",
    "../x",
    "x" * 300,
    [],
    ["a", "a"],
    [1, True],
    {},
    {"a": 1},
]


def says_nothing(name: str, data: Any) -> bool:
    from selftune_build.reading.schema import _validator

    return not any(True for _ in _validator(name).iter_errors(data))


def mutated(data: Any, chance: random.Random) -> Any:
    """The data with one value somewhere in it replaced, removed or added."""
    whole = deepcopy(data)
    at = whole
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys or chance.random() < 0.1:
            break
        key = chance.choice(keys)
        if isinstance(at[key], (dict, list)) and at[key] and chance.random() < 0.7:
            at = at[key]
            continue
        if chance.random() < 0.3:
            del at[key]
        else:
            at[key] = deepcopy(chance.choice(STRANGE))
        return whole
    if isinstance(at, dict):
        at[chance.choice(["extra", "version", "min", "reason", "argv", "type", "enabled"])] = deepcopy(chance.choice(STRANGE))
    else:
        at.append(deepcopy(chance.choice(STRANGE)))
    return whole


@pytest.mark.parametrize(
    ("name", "data"),
    [("selftune-manifest-1", MANIFEST), ("selftune-manifest-1", WORKSPACE), ("selftune-evals-1", SUITE)],
    ids=["manifest", "workspace", "evals"],
)
def test_it_agrees_with_jsonschema_on_every_mutation(name: str, data: Any) -> None:
    shape, chance = schema(name), random.Random(7)
    agreed = {True: 0, False: 0}
    for _ in range(1_500):
        changed = mutated(mutated(data, chance) if chance.random() < 0.3 else data, chance)
        told = says_nothing(name, changed)
        assert fits(changed, shape, shape) is told, changed
        agreed[told] += 1
    assert min(agreed.values()) > 20


def test_nothing_bad_is_let_through() -> None:
    shape = schema("selftune-manifest-1")
    seen = 0
    for path in sorted((GOLDEN / "bad").glob("*.yaml")):
        try:
            data = load(path.read_bytes(), path.name).data
        except InputError:  # not even YAML of ours
            continue
        seen += 1
        assert fits(data, shape, shape) is says_nothing("selftune-manifest-1", data), path.name
    assert seen > 10


def test_a_keyword_that_is_not_known_is_left_to_jsonschema() -> None:
    assert not fits(1, {"multipleOf": 1}, {})
    assert not fits(1, {"not": {"type": "string"}}, {})
    assert not fits({}, {"$ref": "https://example.org/other"}, {})
    assert not fits(1, {"if": {"pattern": "a"}, "then": True}, {})


@pytest.mark.parametrize("name", ["selftune-manifest-1", "selftune-evals-1"])
def test_the_schemas_are_schemas(name: str) -> None:
    Draft202012Validator.check_schema(json.loads(json.dumps(schema(name))))
