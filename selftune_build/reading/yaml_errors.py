"""What the YAML parser complains about, in words of the person who wrote the file."""

from __future__ import annotations

import re

import yaml
from msgspec import Struct

from selftune_build.errors import InputError
from selftune_build.late import late
from selftune_build.limits import DATA_DEPTH
from selftune_build.model.location import Location

TOO_DEEP = f"nested more than {DATA_DEPTH} levels deep"
FLATTEN = "flatten it"

_KEY = late(r"^[\s\-]*([^\s:][^:]{0,60}): ")


class _Explanation(Struct, frozen=True):
    """A sentence and a hint for one complaint; `at_start` points at where the construct began instead of where it broke."""

    needles: tuple[str, ...]
    message: str
    hint: str
    at_start: bool = False
    code: str = "yaml-syntax"


_EXPLANATIONS = (
    _Explanation(("nesting depth",), TOO_DEEP, FLATTEN, code="yaml-too-deep"),
    _Explanation(("alphabetic or numeric",), "`*` and `&` start an alias or anchor", "quote a value that starts with them", True),
    _Explanation(("flow sequence",), "the list that starts here is not closed", "add the missing `]` or `,`", True),
    _Explanation(("flow mapping",), "the mapping that starts here is not closed", "add the missing `}` or `,`", True),
    _Explanation(
        ("unexpected end of stream", "unexpected document"), "the quote that starts here is not closed", "close it", True
    ),
    _Explanation(("tab character",), "a tab cannot indent YAML", "indent with spaces"),
    _Explanation(("directive",), "YAML directives are not read", "remove the line that starts with `%`"),
    _Explanation(("invalid Unicode",), "an escape makes half a character", "write the character itself"),
    _Explanation(("escape", "hexdecimal", "hexadecimal"), "unknown escape in double quotes", r"write `\\` for a backslash"),
    _Explanation(("tag handle", "scanning a tag", "parsing a tag"), "tags are not read", "quote a value that starts with `!`"),
    _Explanation(("block scalar",), "only `+`, `-` or a digit may follow `|` or `>`", "put the text on the next line"),
    _Explanation(("sequence entries",), "a list cannot start on the line of its key", "put each `- ` on a line of its own"),
    _Explanation(
        ("block collection", "block sequence"), "this does not continue the list above it", "indent all `-` of a list alike"
    ),
    _Explanation(
        ("expected key", "block mapping"),
        "this does not continue the mapping above it",
        "check the indentation; a quoted value ends at its closing quote, inside single quotes write '' for an apostrophe",
    ),
    _Explanation(("expected ':'",), "a key without `:`", "write `key: value`"),
    _Explanation(("document start",), "text after the end of the document", "indent all top-level keys alike"),
    _Explanation(("node content",), "a value cannot start with this character", "quote the value"),
)
_NOT_KNOWN = _Explanation((), "this is not valid YAML", "check quotes, colons and indentation around this place")


def explain(error: yaml.YAMLError, text: str, path: str, *, pointer: str, first_line: int = 1) -> InputError:
    """The parser's complaint as an InputError with line, column, pointer and a hint."""
    problem = " ".join(filter(None, (getattr(error, "context", None), getattr(error, "problem", None)))) or str(error)
    mark, start = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    line, column = (mark.line, mark.column) if mark else (0, 0)
    known = _explanation(problem, _line(text, line), column)
    if known.at_start and start:
        line, column = start.line, start.column
    at = Location(path, line + first_line, column + 1, pointer)
    return InputError(known.message, at=at, hint=known.hint, code=known.code)


def _line(text: str, number: int) -> str:
    lines = re.split("\r\n|\r|\n", text)
    return lines[number] if number < len(lines) else ""


def _explanation(problem: str, line: str, column: int) -> _Explanation:
    if "mapping values" in problem:
        return _Explanation((), *_mapping_value(line, column))
    if "cannot start any token" in problem:
        return _Explanation((), *_token(line[column : column + 1]))
    fitting = (known for known in _EXPLANATIONS if any(needle in problem for needle in known.needles))
    return next(fitting, _NOT_KNOWN)


def _mapping_value(line: str, column: int) -> tuple[str, str]:
    key = _KEY.match(line[:column])
    if key:
        return f"the value of `{key.group(1)}` holds `: ` and is not quoted", f'quote the value: {key.group(1)}: "…"'
    return "a `key: value` line where the value above it goes on", "check the indentation, or quote the value above"


def _token(character: str) -> tuple[str, str]:
    if character == "\t":
        return "a tab cannot indent YAML", "indent with spaces"
    return f"a value cannot start with `{character}`", "quote the value"
