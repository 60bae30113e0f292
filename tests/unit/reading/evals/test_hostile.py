"""Whatever the bytes are: cases, findings or an InputError with its place, never anything else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selftune_build.errors import InputError
from selftune_build.limits import EVAL_CASES
from selftune_build.model.case import Case
from selftune_build.reading.evals import EvalReading, read_eval_files, read_unit_tests
from selftune_build.reading.evals.content import case_digest

Suite = Callable[..., EvalReading]

WORDS = (
    "evals cases format prompt question query id name files assertions expectations expected_output should_trigger "
    "expected_skill "
    "timeout type value path pattern text skill_name tags src content dest"
)
KEYS = st.sampled_from(WORDS.split(" "))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=12),
    st.sampled_from(
        ["selftune.evals/1", "selftune.unit-tests/1", "contains", "matches", "file_exists", "../x", "a.csv", "(", "pdf", "10m"]
    ),
)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=6),
    max_leaves=30,
)
CASES = st.lists(st.dictionaries(KEYS, DATA, max_size=7), max_size=4)
SUITES = st.one_of(
    DATA, CASES, st.fixed_dictionaries({"evals": CASES}), st.fixed_dictionaries({"cases": CASES, "format": SCALARS})
)


def read(content: bytes, path: str, explicit: bool) -> EvalReading:
    def read_file(name: str) -> bytes:
        if name != path:
            raise FileNotFoundError(2, "No such file", name)
        return content

    try:
        reading = read_eval_files([path], read_file, explicit, package_name="pdf")
        read_unit_tests([path], read_file, explicit)
    except InputError as problem:
        assert problem.at is not None
        assert problem.at.path == path
        return EvalReading()
    return reading


def is_sound(case: Case) -> bool:
    return bool(case.id) and case.id.isprintable() and bool(case_digest(case)) and case.origin is not None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SUITES, st.booleans())
def test_any_json(data: Any, explicit: bool) -> None:
    reading = read(json.dumps(data).encode(), "evals/evals.json", explicit)
    assert all(is_sound(case) for case in reading.cases)
    assert len({case.id for case in reading.cases}) == len(reading.cases)


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(st.binary(max_size=60), st.text(alphabet="{}[]:,-'\"&*!| \nab1\\u", max_size=60).map(str.encode)),
    st.sampled_from(["json", "yaml"]),
)
def test_any_bytes(content: bytes, ending: str) -> None:
    read(content, f"evals/x.{ending}", False)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.dictionaries(KEYS, DATA, max_size=6), max_size=3))
def test_any_cases_in_our_own_format(cases: list[Any]) -> None:
    read(json.dumps({"format": "selftune.evals/1", "cases": cases}).encode(), "evals/x.json", False)


def test_too_many_cases_are_refused(evals: Suite) -> None:
    items = [{"query": str(number), "should_trigger": True} for number in range(EVAL_CASES + 1)]
    with pytest.raises(InputError, match="more than"):
        evals({"evals/x.json": items})


def test_one_large_file_named_by_many_cases_is_read_once() -> None:
    reads: list[str] = []
    data = {"evals": [{"id": number, "prompt": "p", "assertions": ["a"], "files": ["big.bin"]} for number in range(50)]}

    def read_file(name: str) -> bytes:
        reads.append(name)
        return json.dumps(data).encode() if name == "evals/evals.json" else b"x" * 1000

    reading = read_eval_files(["evals/evals.json"], read_file, False)
    assert reads.count("big.bin") == 1
    assert len({id(case.files[0].content) for case in reading.cases}) == 1
