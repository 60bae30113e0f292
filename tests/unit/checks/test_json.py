"""JSON in answers and files: what a path selects, what form it has, and what hostile JSON, paths and schemas come to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from selftune_build.limits import CHECK_JSON_BYTES
from selftune_build.model.verdict import CheckResult
from selftune_build.reading.json_query import QueryError, check_query
from selftune_build.reading.json_schema import SchemaError, check_schema

Judge = Callable[..., CheckResult]

INVOICE = '{"total": 42.5, "lines": [{"sku": "a", "ok": true}, {"sku": "b", "ok": true}], "note": null}'


@pytest.mark.parametrize(
    ("params", "held"),
    [
        ({"path": "$.total"}, True),
        ({"path": "$.total", "equals-json": "42.5"}, True),
        ({"path": "$.total", "equals": 42}, False),
        ({"path": "/total", "equals-json": "42.5"}, True),
        ({"path": "/lines/1/sku", "equals": "b"}, True),
        ({"path": "/lines/01/sku", "equals": "b"}, False),
        ({"path": "$.note", "equals": None}, True),
        ({"path": "$.none", "equals": None}, False),
        ({"path": "$.lines[*].ok", "equals": True}, True),
        ({"path": "$.lines[*].ok", "equals": 1}, False),
        ({"path": "$.lines[*].sku", "equals": "a"}, False),
        ({"path": "$.lines[?@.sku == 'a'].ok", "equals": True}, True),
        ({"path": "$.lines[*].sku", "pattern": "^[ab]$"}, True),
        ({"path": "$.lines[*].sku", "pattern": "^a$"}, False),
        ({"path": "$.lines[?search(@.sku, '^b')]", "pattern": '"sku":"b"'}, True),
        ({"path": "$.none", "exists": False}, True),
        ({"path": "$.total", "exists": False}, False),
        ({"path": "$.lines[0]", "equals": {"ok": True, "sku": "a"}}, True),
    ],
)
def test_what_a_path_selects_is_all_that_is_asked(judged: Judge, params: dict[str, Any], held: bool) -> None:
    result = judged("json-path", params, output=INVOICE)
    assert result.held is held
    assert params["path"] in result.evidence
    assert judged("json-path", {**params, "file": "o.json"}, files={"o.json": INVOICE.encode()}).held is held


def test_the_evidence_quotes_what_is_there(judged: Judge) -> None:
    result = judged("json-path", {"path": "$.lines[*].sku", "equals": "a"}, output=INVOICE)
    assert result.evidence == '$.lines[*].sku of the answer is "b"'


@pytest.mark.parametrize(
    ("output", "held"),
    [
        ('Here you are:\n```json\n{"a": 1}\n```\nDone.', True),
        ('~~~\n{"a": 1}\n~~~', True),
        ('```python\nprint(1)\n```\n```json\n{"a": 1}\n```', True),
        ('```json\n{"a": 1}\n```\n```json\n{"a": 1}\n```', False),
        ('The answer is {"a": 1}.', False),
        ("", False),
        ('{"a": 1, "a": 2}', False),
        ('{"a": NaN}', False),
        ('{"a": 1}{"a": 1}', False),
        ('\ufeff{"a": 1}', True),
    ],
)
def test_an_answer_is_json_as_a_whole_or_holds_one_block_of_it(judged: Judge, output: str, held: bool) -> None:
    assert judged("json-path", {"path": "$.a", "equals": 1}, output=output).held is held
    assert judged("json-schema", {"schema": {"required": ["a"]}}, output=output).held is held


def test_what_is_more_than_is_read_is_not_measured(judged: Judge) -> None:
    for output in ("[" * 100 + "]" * 100, "[" * 100_000, "[" + "1" * 200 + "]", '"' + "a" * CHECK_JSON_BYTES + '"'):
        result = judged("json-path", {"path": "$", "exists": False}, output=output)
        assert result.held is None, result.evidence


def test_what_is_no_json_has_nothing_that_is_absent_from_it(judged: Judge) -> None:
    assert judged("json-path", {"path": "$.error", "exists": False}, output="I am sorry.").held is False
    missing = judged("json-path", {"path": "$.error", "exists": False, "file": "none.json"})
    assert (missing.held, missing.evidence) == (False, "no file none.json")


@pytest.mark.parametrize(
    "path",
    ["$..*..*..*..*", "$..[?$..[?$..*]]", "$..[?@ == $]", "$..[?count($..*) > 1]", "$..[?search(@, '^(a|a)*$')]"],
)
def test_a_path_that_multiplies_its_way_through_the_answer_is_given_up(judged: Judge, path: str) -> None:
    output = json.dumps([["a" * 60 + "!"] + [[[i] for i in range(30)] for _ in range(30)] for _ in range(30)])
    assert judged("json-path", {"path": path}, output=output).held is None


@pytest.mark.parametrize(
    "path", ["", "a", "$.", "$[", "$[?" + "(" * 900, "$[?" + "!" * 900 + "@.a]", "$.a | $.b", "$" + ".a" * 2000]
)
def test_what_is_no_path_is_refused_and_not_measured(judged: Judge, path: str) -> None:
    with pytest.raises(QueryError):
        check_query(path)
    assert judged("json-path", {"path": path}, output="{}").held is None


SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["total"],
    "properties": {
        "total": {"type": "number"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}, "uniqueItems": True},
    },
    "patternProperties": {"^x-": {"type": "string"}},
    "additionalProperties": False,
    "$defs": {"line": {"type": "object", "properties": {"sku": {"pattern": "^[a-z]+$"}}}},
}


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"total": 1}, ""),
        ({"total": 1, "x-note": "n", "lines": [{"sku": "a"}]}, ""),
        ({}, "'total' is a required property"),
        ({"total": "1"}, "/total of the answer: '1' is not of type 'number'"),
        ({"total": 1, "lines": [{"sku": "a"}, {"sku": "A\nb"}]}, "/lines/1/sku of the answer"),
        ({"total": 1, "lines": [{}, {}]}, "/lines of the answer"),
        ({"total": 1, "x-note": 1}, "/x-note of the answer"),
        ({"total": 1, "more": 1}, "'more' is not expected"),
    ],
)
def test_a_schema_says_where_json_does_not_fit(judged: Judge, value: Any, fault: str) -> None:
    result = judged("json-schema", {"schema": SCHEMA}, output=json.dumps(value))
    assert result.held is not bool(fault)
    assert fault in result.evidence


def test_a_schema_says_its_draft(judged: Judge) -> None:
    tuple_form: dict[str, Any] = {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]}
    assert judged("json-schema", {"schema": tuple_form}, output="[1]").held is False
    assert judged("json-schema", {"schema-json": '{"minimum": 0.5}'}, output="0.25").held is False


def nested_choice(depth: int) -> dict[str, Any]:
    choices = {f"c{i}": {"anyOf": [{"$ref": f"#/$defs/c{i + 1}"}, {"$ref": f"#/$defs/c{i + 1}"}]} for i in range(depth)}
    return {"$ref": "#/$defs/c0", "$defs": {**choices, f"c{depth}": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"$ref": "#"}, 1),
        (nested_choice(40), 1),
        ({"items": {"pattern": "^(a|a)*$"}}, ["a" * 60 + "!"]),
        ({"anyOf": [{"type": "string"}] * 4000}, [["x" * 100] * 3000]),
        ({"patternProperties": {f"^x{i}": {} for i in range(1000)}}, {f"k{i}": 1 for i in range(1000)}),
    ],
)
def test_a_schema_that_asks_for_too_much_is_given_up(judged: Judge, schema: dict[str, Any], value: Any) -> None:
    check_schema(schema)
    assert judged("json-schema", {"schema": schema}, output=json.dumps(value)).held is None


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "https://example.com/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "other.json"},
        {"properties": {"a": {"$ref": "http://169.254.169.254/latest"}}},
        {"type": "objct"},
        {"pattern": "("},
        {"patternProperties": {"(?:a{999}){999}": {}}},
        {"unevaluatedProperties": False},
        {"enum": ["x" * 300_000]},
    ],
)
def test_a_schema_that_leads_out_or_cannot_be_used_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(SchemaError):
        check_schema(schema)


@pytest.mark.parametrize("reference", ["https://example.com/s.json", "file:///etc/passwd", "#/nowhere", "http://[bad"])
def test_no_reference_is_ever_fetched(judged: Judge, reference: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import urllib.request

    monkeypatch.setattr(urllib.request, "urlopen", lambda *_: pytest.fail("something was fetched"))
    assert judged("json-schema", {"schema": {"$id": "urn:x", "$ref": reference}}, output="1").held is None


def test_names_of_keywords_are_allowed_as_names_of_properties() -> None:
    check_schema({"properties": {"pattern": {"type": "string"}, "const": {}}, "const": {"pattern": "("}})
