"""Strict YAML: what is read, what is refused and what is only noted."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from selftune_build import limits
from selftune_build.errors import InputError
from selftune_build.model.finding import Severity
from selftune_build.reading import strict_yaml
from selftune_build.reading.strict_yaml import load


def ours(text: str) -> Any:
    return load(text.encode(), "selftune.yaml").data


def wild(text: str) -> Any:
    return load(text.encode(), "SKILL.md", wild=True)


def refused(content: bytes, *, wild: bool = False) -> InputError:
    with pytest.raises(InputError) as caught:
        load(content, "x.yaml", wild=wild)
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("+3", 3),
        ("0.6", 0.6),
        ("-0.05", -0.05),
        (".5", 0.5),
        ("1.5e+3", 1500.0),
        ("plain words", "plain words"),
        ("1.0.0", "1.0.0"),
        ("'no'", "no"),
        ('"1"', "1"),
    ],
)
def test_a_scalar_that_all_readers_agree_on_has_its_type(text: str, value: Any) -> None:
    document = load(f"a: {text}\n".encode(), "x.yaml")
    assert document.data == {"a": value}
    assert type(document.data["a"]) is type(value)
    assert document.implicit == ()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("no", "boolean"),
        ("On", "boolean"),
        ("YES", "boolean"),
        ("True", "boolean"),
        ("NULL", "null"),
        ("010", "number"),
        ("0x1F", "number"),
        ("0o17", "number"),
        ("0b11", "number"),
        ("1_000", "number"),
        ("12:30:45", "number"),
        ("1e3", "number"),
        (".inf", "number"),
        (".nan", "number"),
        ("-.5", "number"),
        ("1.0e+999", "number"),
        ("1234567890123456789", "number"),
        ("2024-01-01", "date"),
        ("2024-01-01T10:00:00Z", "date"),
    ],
)
def test_a_scalar_that_readers_disagree_on_stays_text_and_is_listed(text: str, kind: str) -> None:
    document = load(f"a: [{text}]\n".encode(), "x.yaml")
    assert document.data == {"a": [text]}
    assert [(item.pointer, item.kind, item.text) for item in document.implicit] == [("/a/0", kind, text)]


def test_every_pointer_has_the_place_of_its_value_and_of_its_key() -> None:
    document = load(b"a: 1\nb:\n  - x\n  - c/d: {e~f: 2}\n", "x.yaml")
    assert str(document.locate("/a")) == "x.yaml:1:4 (/a)"
    assert str(document.locate("/b/0")) == "x.yaml:3:5 (/b/0)"
    assert str(document.locate("/b/1/c~1d/e~0f")) == "x.yaml:4:16 (/b/1/c~1d/e~0f)"
    assert str(document.locate_key("/b/1/c~1d")) == "x.yaml:4:5 (/b/1/c~1d)"
    assert str(document.locate_key("/b/0")) == "x.yaml:3:5 (/b/0)"


@pytest.mark.parametrize("pointer", ["/b/7", "/b/x", "/b/-1", "/b/²", "/b/99999999999999999999", "/b/zz/y"])
def test_a_pointer_to_nothing_has_the_place_of_its_nearest_parent(pointer: str) -> None:
    document = load(b"a: 1\nb: [1, 2]\n", "x.yaml")
    assert (document.locate(pointer).line, document.locate(pointer).column) == (2, 4)


def test_columns_count_characters_and_not_bytes() -> None:
    assert refused("clé: [é, *x]\n".encode()).at is not None
    at = refused("clé: [é, *x]\n".encode()).at
    assert at is not None
    assert (at.line, at.column) == (1, 10)


def test_crlf_line_ends_are_ordinary() -> None:
    document = load(b"a: 1\r\nb: |\r\n  x\r\n  y\r\n", "x.yaml")
    assert document.data == {"a": 1, "b": "x\ny\n"}
    assert document.locate("/b").line == 2


def test_a_part_of_a_file_counts_lines_from_where_it_starts() -> None:
    document = load(b"name: a\nname: b\nx: \x07\n", "SKILL.md", wild=True, first_line=2)
    assert document.locate("/name").line == 3
    assert [finding.at.line for finding in document.findings if finding.at] == [4, 3]
    with pytest.raises(InputError) as caught:
        load(b"a: 1\nb: x: y\n", "SKILL.md", wild=True, first_line=2)
    assert caught.value.at is not None
    assert caught.value.at.line == 3


@pytest.mark.parametrize("opening", ["[", "{", "- ", "? ", "[? ", "{a: ", "[\n"])
@pytest.mark.parametrize("is_wild", [False, True])
def test_deep_nesting_is_named_whichever_parser_notices_first(opening: str, is_wild: bool) -> None:
    error = refused((opening * 20_000).encode(), wild=is_wild)
    assert error.code in ("yaml-too-deep", "yaml-key-not-text")
    assert error.at is not None
    assert error.hint


@pytest.mark.parametrize("depth", [limits.DATA_DEPTH + 1, 20_000])
def test_too_deep_is_said_in_the_same_words_at_any_depth(depth: int) -> None:
    error = refused(b"[" * depth)
    assert (error.code, error.message) == ("yaml-too-deep", f"nested more than {limits.DATA_DEPTH} levels deep")


def test_nesting_up_to_the_limit_is_read() -> None:
    depth = limits.DATA_DEPTH
    assert load(("[" * depth + "]" * depth).encode(), "x.yaml").data is not None
    assert refused(("[" * (depth + 1) + "]" * (depth + 1)).encode()).code == "yaml-too-deep"


def test_limits_hold_on_bytes_nodes_scalars_and_keys() -> None:
    assert refused(b"#" * (limits.YAML_BYTES + 1)).code == "too-large"
    assert refused(b"[" + b"0," * limits.YAML_NODES + b"]").code == "yaml-too-many-nodes"
    assert refused(b"a: " + b"x" * (limits.YAML_SCALAR_CHARACTERS + 1)).code == "yaml-too-long"
    assert refused(b"? " + b"x" * (limits.KEY_CHARACTERS + 1) + b"\n: 1").code == "yaml-too-long"


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    bomb = "a: &a [x]\n" + "".join(f"b{i}: &b{i} [{', '.join([f'*b{i - 1}' if i else '*a'] * 9)}]\n" for i in range(9))
    for is_wild in (False, True):
        assert refused(bomb.encode(), wild=is_wild).code == "yaml-anchor"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: *b\n", "yaml-alias"),
        ("*b : a\n", "yaml-alias"),
        ("a: &b 1\n", "yaml-anchor"),
        ("&b a: 1\n", "yaml-anchor"),
        ("a: !t 1\n", "yaml-tag"),
        ("a: ! 1\n", "yaml-tag"),
        ("!t a: 1\n", "yaml-tag"),
        ("<<: {a: 1}\n", "yaml-merge-key"),
        ("a: 1\n---\nb: 1\n", "yaml-many-documents"),
        ("%YAML 1.2\n---\na: 1\n", "yaml-directive"),
        ("{a: 1}: 2\n", "yaml-key-not-text"),
        ("description: reads: pdf\n", "yaml-syntax"),
    ],
)
def test_what_no_reader_may_guess_is_refused(text: str, code: str) -> None:
    assert refused(text.encode()).code == code
    assert refused(text.encode(), wild=True).code == code


def test_a_quoted_merge_sign_is_an_ordinary_key() -> None:
    assert ours('"<<": 1') == {"<<": 1}


def test_an_unquoted_colon_names_the_key_to_quote() -> None:
    error = refused(b"name: pdf\ndescription: Reads PDF: text, tables\n", wild=True)
    assert (error.message, error.hint) == (
        "the value of `description` holds `: ` and is not quoted",
        'quote the value: description: "…"',
    )
    assert error.at is not None
    assert (error.at.line, error.at.column) == (2, 23)


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x0b", "\x1b", "\x7f", "\x85", "\u2028", "\u2029", "\ufeff", "\uffff"])
def test_control_and_separator_characters_are_refused_in_ours_and_noted_in_wild(character: str) -> None:
    text = f"a: x{character}b\nc: 1\n"
    assert refused(text.encode()).code == "unwanted-character"
    document = wild(text)
    assert document.data == {"a": f"x{character}b", "c": 1}
    assert [(finding.code, finding.at.line, finding.at.column) for finding in document.findings] == [
        ("yaml-control-character", 1, 5)
    ]


def test_a_hidden_line_break_does_not_make_a_second_key_in_wild() -> None:
    document = wild("description: tidy\u2028allowed-tools: Bash\n".replace(": Bash", ":Bash"))
    assert document.data == {"description": "tidy\u2028allowed-tools:Bash"}


def test_stand_ins_for_control_characters_never_clash_with_private_characters_of_the_text() -> None:
    document = wild("a: \U000f0000\x07\U000f0001\x0b\n")
    assert document.data == {"a": "\U000f0000\x07\U000f0001\x0b"}


def test_a_text_that_leaves_no_stand_ins_is_refused() -> None:
    full = "".join(chr(base) for base in range(0xF0000, 0x10FF00, 0x100))
    assert refused(f"a: {full}\x07".encode(), wild=True).code == "unwanted-character"


def test_wild_reads_duplicates_the_way_hosts_do_and_notes_the_line() -> None:
    document = wild("name: a\nother: 1\nname: b\n")
    assert document.data == {"name": "b", "other": 1}
    (finding,) = document.findings
    assert (finding.code, finding.severity, finding.at.line) == ("yaml-duplicate-key", Severity.WARNING, 3)
    assert finding.message.endswith("the first is in line 1")


def test_wild_tolerates_a_byte_order_mark() -> None:
    document = load(b"\xef\xbb\xbfname: a\n", "SKILL.md", wild=True)
    assert document.data == {"name": "a"}
    assert [finding.code for finding in document.findings] == ["yaml-byte-order-mark"]


@pytest.mark.parametrize(
    ("text", "value", "code"),
    [
        ("yes", True, "yaml-implicit-boolean"),
        ("off", False, "yaml-implicit-boolean"),
        ("True", True, None),
        ("Null", None, None),
        ("0x1F", 31, None),
        ("2024-01-01", "2024-01-01", "yaml-implicit-date"),
        ("010", "010", "yaml-implicit-number"),
        ("12:30", "12:30", "yaml-implicit-number"),
        ("10m", "10m", None),
    ],
)
def test_wild_types_scalars_and_notes_where_readers_disagree(text: str, value: Any, code: str | None) -> None:
    document = wild(f"a: {text}\n")
    assert document.data == {"a": value}
    assert [finding.code for finding in document.findings] == ([code] if code else [])


def test_wild_keys_stay_text_as_written() -> None:
    document = wild("on: 1\n2: x\n")
    assert document.data == {"on": 1, "2": "x"}
    assert {finding.code for finding in document.findings} == {"yaml-key-not-text"}


def test_findings_are_bounded() -> None:
    document = wild("".join(f"- k{i}: no\n" for i in range(500)))
    assert len(document.findings) == limits.FINDINGS_PER_FILE


def test_an_escape_to_a_control_character_is_noted_in_wild() -> None:
    document = wild('a: "x\\0y"\n')
    assert document.data == {"a": "x\0y"}
    assert [finding.code for finding in document.findings] == ["yaml-control-character"]


@pytest.mark.parametrize("is_wild", [False, True])
def test_a_lone_surrogate_never_gets_into_data(is_wild: bool) -> None:
    assert refused(b'a: "\\ud800"\n', wild=is_wild).exit_status == 2


def test_the_pure_python_parser_gives_the_same_data_and_places(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pure(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
        def __init__(self, text: str) -> None:
            yaml.reader.Reader.__init__(self, text)
            yaml.scanner.Scanner.__init__(self)
            yaml.parser.Parser.__init__(self)

    content = b"a: [1, {b: 'x'}]\nc: |\n  text\n"
    expected = load(content, "x.yaml")
    monkeypatch.setattr(strict_yaml, "_Parser", Pure)
    assert load(content, "x.yaml").data == expected.data
    assert load(content, "x.yaml").places() == expected.places()
    assert refused(b"a: b: c").message == "the value of `a` holds `: ` and is not quoted"
    assert refused(b'a: "\\ud800"').code == "yaml-unwanted-character"


plain_text = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufeff\ufffe\uffff"),
    max_size=12,
)
json_like = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.floats(-1e6, 1e6).map(lambda x: round(x, 3)) | plain_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain_text, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_random_bytes_are_read_or_refused_with_a_place(content: bytes, is_wild: bool) -> None:
    try:
        load(content, "x.yaml", wild=is_wild)
    except InputError as error:
        assert error.at is not None
        assert error.at.line is not None
        assert error.hint


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab:-?[]{},&*!|>%@`\"'# \n\t\r~<.01_ny\x00\x85\u2028\\", max_size=40), st.booleans())
def test_random_yaml_signs_are_read_or_refused_with_a_place(text: str, is_wild: bool) -> None:
    try:
        load(text.encode(), "x.yaml", wild=is_wild)
    except InputError as error:
        assert error.at is not None
        assert error.hint


@settings(max_examples=200, deadline=None)
@given(json_like, st.sampled_from([None, False, True]), st.booleans())
def test_what_a_standard_writer_writes_is_read_back_the_same(data: Any, flow: bool | None, is_wild: bool) -> None:
    text = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True)
    if "? " in text:  # explicit keys and merged lines are written for exotic keys only
        return
    try:
        assert load(text.encode(), "x.yaml", wild=is_wild).data == data
    except InputError as error:  # a plain key such as 0E0, which YAML 1.1 takes for text and YAML 1.2 for a number
        assert (error.code, is_wild) == ("yaml-key-not-text", False)
    assert yaml.load(text, yaml.SafeLoader) == data


def test_in_files_of_others_an_alias_stands_for_its_value() -> None:
    document = load(b"a: &x {b: [1, two]}\nc: *x\nd: [*x, &y z, *y]\n", "f.yaml", wild=True, references=True)
    assert document.data == {"a": {"b": [1, "two"]}, "c": {"b": [1, "two"]}, "d": [{"b": [1, "two"]}, "z", "z"]}
    assert document.locate("/a").line == document.locate("/c/b").line == 1


@pytest.mark.parametrize(
    "text",
    [
        "a: *x\n",
        "a: &x [*x]\n",
        "&x a: 1\n",
        "*x : 1\n",
        "a: &x {b: 1}\nc: {<<: *x}\n",
        "a: !!str 1\n",
        "a: &x " + "y" * 100_000 + "\nb: [" + "*x, " * 100 + "]\n",
        "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)),
    ],
    ids=["nothing", "itself", "a key", "as a key", "merged", "tag", "much text", "bomb"],
)
def test_what_an_alias_may_not_be_or_grow_to(text: str) -> None:
    with pytest.raises(InputError) as caught:
        load(text.encode(), "f.yaml", wild=True, references=True)
    assert caught.value.at is not None
    assert caught.value.at.line
