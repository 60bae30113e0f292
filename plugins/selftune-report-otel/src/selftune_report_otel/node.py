"""A span before it is one: name, attributes, when it was, and what lies within."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Value = str | bool | int | float


@dataclass(frozen=True)
class Node:
    """`key` tells it from its siblings, `times` are start and end in nanoseconds, None where nobody recorded them."""

    key: str
    name: str
    attributes: Mapping[str, Value]
    within: Sequence[Node] = ()
    times: tuple[int, int] | None = None
    events: Sequence[tuple[str, Mapping[str, Value]]] = field(default=())

    @property
    def span(self) -> tuple[int, int] | None:
        """Its own times, else from the first start to the last end of what lies within."""
        known = [times for each in self.within if (times := each.span) is not None]
        if self.times is not None or not known:
            return self.times
        return min(start for start, _ in known), max(end for _, end in known)


def known(**attributes: Value | None) -> dict[str, Value]:
    """Attributes that have a value; `__` stands for the dot in their names."""
    return {name.replace("__", "."): value for name, value in attributes.items() if value is not None}


def keys(nodes: Iterable[Node]) -> list[str]:
    """What a trace is told by: the keys of all nodes, in order."""
    return [key for node in nodes for key in (node.key, *keys(node.within))]
