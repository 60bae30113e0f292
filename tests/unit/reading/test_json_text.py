"""Strict JSON: data at the speed of the standard parser, places on demand, faults by name."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selftune_build import limits
from selftune_build.errors import InputError
from selftune_build.reading.json_text import load


def refused(text: str, *, wild: bool = False) -> InputError:
    with pytest.raises(InputError) as caught:
        load(text.encode("utf-8", "surrogatepass"), "e.json", wild=wild)
    return caught.value


def test_every_pointer_has_the_place_of_its_value_and_of_its_key() -> None:
    document = load(b'{\n  "a": [1, {"b/c": "x"}],\n  "d": null\n}\n', "e.json")
    assert document.data == {"a": [1, {"b/c": "x"}], "d": None}
    assert str(document.locate()) == "e.json:1:1"
    assert str(document.locate("/a/0")) == "e.json:2:9 (/a/0)"
    assert str(document.locate("/a/1/b~1c")) == "e.json:2:20 (/a/1/b~1c)"
    assert str(document.locate_key("/a/1/b~1c")) == "e.json:2:13 (/a/1/b~1c)"
    assert str(document.locate("/d")) == "e.json:3:8 (/d)"
    assert str(document.locate("/a/9")) == "e.json:2:8 (/a/9)"


def test_brackets_quotes_and_escapes_inside_texts_do_not_move_places() -> None:
    document = load(b'["]{,:\\"", "\\\\", {"x": 1}]', "e.json")
    assert document.locate("/2/x").column == 24


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ('{"a": {"b": 1, "b": 2}}', "json-duplicate-key", "e.json:1:16 (/a/b)"),
        ('[1,\n {"a": NaN}]', "json-not-a-number", "e.json:2:8 (/1/a)"),
        ("[-Infinity]", "json-not-a-number", "e.json:1:2 (/0)"),
        ("[1e999]", "json-huge-number", "e.json:1:2 (/0)"),
        ("[1, 1234567890123456789]", "json-huge-integer", "e.json:1:5 (/1)"),
        ('{"a": "\\ud800x"}', "json-lone-surrogate", "e.json:1:7 (/a)"),
        ('{"\\udc00": 1}', "json-lone-surrogate", "e.json:1:2"),
    ],
)
def test_what_the_standard_parser_lets_pass_is_refused_by_name(text: str, code: str, place: str) -> None:
    error = refused(text)
    assert (error.code, str(error.at), error.exit_status) == (code, place, 2)
    assert error.hint


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ('{"a": 1,}', "a comma before the closing bracket", "e.json:1:"),
        ("[1,]", "a comma before the closing bracket", "e.json:1:"),
        ("", "the file ends where a value is expected", "e.json:1:1"),
        ("[[1,", "the file ends where a value is expected", "e.json:1:5 (/0/1)"),
        ("{a: 1}", "a key without double quotes", "e.json:1:2"),
        ("{'a': 1}", "a text in single quotes", "e.json:1:2"),
        ("// note\n{}", "JSON has no comments", "e.json:1:1"),
        ('{"a": # note\n1}', "JSON has no comments", "e.json:1:7 (/a)"),
        ('{"a": [1 2]}', "two values without a comma, or a bracket that is not closed", "e.json:1:10 (/a/0)"),
        ('{"a" 1}', "a key without `:`", "e.json:1:6 (/a)"),
        ('["abc', "the text that starts here is not closed", "e.json:1:2 (/0)"),
        ('["a\nb"]', "a line break or control character inside a text", "e.json:1:4 (/0)"),
        ('["\\q"]', "unknown escape in a text", "e.json:1:3 (/0)"),
        ("[1] x", "something follows the end of the data", "e.json:1:5"),
        ('{"a": tru}', "a value is expected here", "e.json:1:7 (/a)"),
    ],
)
def test_a_syntax_error_names_place_and_remedy(text: str, message: str, place: str) -> None:
    for wild in (False, True):
        error = refused(text, wild=wild)
        assert error.message == message
        assert str(error.at).startswith(place)
        assert error.hint


def test_half_a_character_in_a_key_never_gets_into_a_message() -> None:
    error = refused('{"\\udc00": 1, x}')
    assert f"{error.at} {error.message}".isprintable()


def test_half_characters_that_make_a_whole_one_are_fine() -> None:
    assert load(b'["\\ud83d\\ude00"]', "e.json").data == ["😀"]


def test_wild_reads_duplicates_and_a_byte_order_mark_with_findings() -> None:
    content = b'\xef\xbb\xbf{"a": 1,\n "a": 2}'
    document = load(content, "e.json", wild=True)
    assert document.data == {"a": 2}
    assert [(finding.code, finding.at.line) for finding in document.findings if finding.at] == [
        ("json-byte-order-mark", 1),
        ("json-duplicate-key", 2),
    ]
    with pytest.raises(InputError, match="byte order mark"):
        load(content, "e.json")


def test_wild_reads_long_ids_but_no_endless_numbers() -> None:
    assert load(b"[12345678901234567890]", "e.json", wild=True).data == [12345678901234567890]
    assert refused("[" + "9" * 5000 + "]", wild=True).code == "json-huge-integer"


def test_wild_does_not_hide_a_fatal_fault_behind_many_duplicates() -> None:
    duplicates = ",".join(['"a": 1'] * 500)
    document = load(f"{{{duplicates}}}".encode(), "e.json", wild=True)
    assert len(document.findings) == limits.FINDINGS_PER_FILE
    assert refused(f'{{{duplicates}, "b": NaN}}', wild=True).code == "json-not-a-number"


@pytest.mark.parametrize("opening", ["[", '{"a":', "[["])
def test_deep_nesting_is_stopped_at_once(opening: str) -> None:
    start = time.perf_counter()
    error = refused(opening * 100_000)
    assert time.perf_counter() - start < 1
    assert error.exit_status == 2


def test_nesting_up_to_the_limit_is_read() -> None:
    depth = limits.DATA_DEPTH
    assert load(b"[" * depth + b"]" * depth, "e.json").data
    assert refused("[" * (depth + 1) + "]" * (depth + 1)).code == "json-too-deep"
    assert refused("[" * 5000 + "]" * 5000).code == "json-too-deep"


def test_size_and_encoding_are_checked_first() -> None:
    with pytest.raises(InputError, match="more than 10 bytes"):
        load(b"[1, 2, 3, 4]", "e.json", limit=10)
    assert refused('["\udcff"]').code == "not-utf-8"


json_data = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=15,
)


def pointers(data: Any, prefix: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [prefix, *(found for key, value in items for found in pointers(value, (*prefix, key)))]


@settings(max_examples=150, deadline=None)
@given(json_data, st.sampled_from([None, 1]), st.booleans())
def test_data_equals_the_standard_parsers_and_every_place_holds_its_value(
    data: Any, indent: int | None, ascii_only: bool
) -> None:
    from selftune_build.reading.document import pointer_of

    text = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    document = load(text.encode(), "e.json")
    assert document.data == data
    lines = text.split("\n")
    for parts in pointers(data):
        at = document.locate(pointer_of(parts))
        value = data
        for part in parts:
            value = value[part]
        assert at.line is not None
        assert at.column is not None
        rest = "\n".join([lines[at.line - 1][at.column - 1 :], *lines[at.line :]])
        assert json.JSONDecoder().raw_decode(rest)[0] == value


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='[]{}:,"\\ud8a0 \n1eE.-truefalsn', max_size=40).map(str.encode), st.booleans())
def test_random_bytes_are_read_or_refused_with_a_place(content: bytes, wild: bool) -> None:
    try:
        data = load(content, "e.json", wild=wild).data
    except InputError as error:
        assert error.at is not None
        assert error.at.line is not None
        assert error.hint
    else:
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
