"""JSONPath (RFC 9535) and JSON Pointer (RFC 6901): questions of strangers to JSON of strangers, within bounds.

The engine is `jsonpath-rfc9535`, loaded when first needed. It looks at data through containers that count each look, so that
a query which multiplies its way through a document ends at a number of steps, the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from selftune_build.limits import CHECK_JSON_STEPS, CHECK_QUERY_CHARACTERS
from selftune_build.pattern import Patience
from selftune_build.reading.document import parts_of

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathQuery

_INDEX_DIGITS = 9


class QueryError(ValueError):
    """The query is neither JSONPath nor a JSON Pointer."""


class TooMuchWork(Exception):
    """The query would look at more than is looked at for one check; it says nothing about the data."""


def check_query(query: str) -> None:
    """Nothing for a JSON Pointer (it starts with `/`) or a JSONPath (it starts with `$`). Raises QueryError."""
    if not query.startswith("/"):
        _compiled(query)


def select(query: str, data: Any) -> list[Any]:
    """Every value that the query selects, in the order of the document.

    Raises QueryError, TooMuchWork, and what `pattern.Patience` raises for the patterns of `match` and `search`.
    """
    if query.startswith("/"):
        return pointed(query, data)
    from jsonpath_rfc9535 import JSONPathError

    try:
        nodes = list(_compiled(query).finditer(_counted(data, _Steps())))
    except (RecursionError, JSONPathError):  # all that is left of the latter is its own limit on depth
        raise TooMuchWork("it descends too deep") from None
    return [node.value.plain if isinstance(node.value, (_Object, _Array)) else node.value for node in nodes]


def pointed(pointer: str, data: Any) -> list[Any]:
    """The one value that a JSON Pointer names, or none."""
    for part in parts_of(pointer):
        if isinstance(data, dict) and part in data:
            data = data[part]
        elif isinstance(data, list) and _is_index(part) and int(part) < len(data):
            data = data[int(part)]
        else:
            return []
    return [data]


def _is_index(part: str) -> bool:
    return part.isascii() and part.isdecimal() and len(part) <= _INDEX_DIGITS and (part == "0" or not part.startswith("0"))


def _compiled(query: str) -> JSONPathQuery:
    """The query, with patience for one run. Raises QueryError."""
    from jsonpath_rfc9535 import JSONPathError

    if len(query) > CHECK_QUERY_CHARACTERS:
        raise QueryError(f"it is longer than {CHECK_QUERY_CHARACTERS} characters")
    try:
        return _environment().compile(query)
    except (JSONPathError, RecursionError, ValueError, OverflowError) as problem:
        raise QueryError(f"it is not a JSONPath of RFC 9535: {str(problem) or 'it is nested too deep'}") from None


def _environment() -> JSONPathEnvironment:
    """An environment whose `match` and `search` lose their patience."""
    from jsonpath_rfc9535 import JSONPathEnvironment
    from jsonpath_rfc9535.function_extensions import ExpressionType, FilterFunction

    class Bounded(FilterFunction):
        arg_types: ClassVar[list[ExpressionType]] = [ExpressionType.VALUE, ExpressionType.VALUE]
        return_type: ClassVar[ExpressionType] = ExpressionType.LOGICAL

        def __init__(self, search: Callable[[str, str], bool]) -> None:
            self._search = search

        def __call__(self, text: object, pattern: object) -> bool:
            return isinstance(text, str) and isinstance(pattern, str) and self._search(pattern, text)

    environment, patience = JSONPathEnvironment(), Patience()
    environment.function_extensions["match"] = Bounded(patience.fullmatch)
    environment.function_extensions["search"] = Bounded(patience.search)
    return environment


class _Steps:
    def __init__(self) -> None:
        self.left = CHECK_JSON_STEPS

    def take(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise TooMuchWork(f"it takes more than {CHECK_JSON_STEPS} steps")


class _Object(dict[str, Any]):
    """A JSON object that counts how much of it is looked at."""

    __slots__ = ("plain", "steps")
    plain: Any
    steps: _Steps

    def __getitem__(self, key: str) -> Any:
        self.steps.take(1)
        return super().__getitem__(key)

    def items(self) -> Any:
        self.steps.take(len(self) + 1)
        return super().items()

    def __eq__(self, other: object) -> bool:
        self.steps.take(len(self) + 1)
        return super().__eq__(other)


class _Array(list[Any]):
    """A JSON array that counts how much of it is looked at."""

    __slots__ = ("plain", "steps")
    plain: Any
    steps: _Steps

    def __iter__(self) -> Iterator[Any]:
        self.steps.take(len(self) + 1)
        return super().__iter__()

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        self.steps.take(len(found) + 1 if isinstance(key, slice) else 1)
        return found

    def __eq__(self, other: object) -> bool:
        self.steps.take(len(self) + 1)
        return super().__eq__(other)


def _counted(value: Any, steps: _Steps) -> Any:
    """The data with containers that count. Depth is bounded by whoever read it."""
    if isinstance(value, dict):
        counted: Any = _Object((key, _counted(item, steps)) for key, item in value.items())
    elif isinstance(value, list):
        counted = _Array([_counted(item, steps) for item in value])
    else:
        return value
    counted.plain, counted.steps = value, steps
    return counted
