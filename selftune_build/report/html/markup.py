"""HTML that strangers cannot get out of: their text becomes text nodes, and nothing else of it ever becomes anything."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from selftune_build.escape import one_line

_VOID = frozenset(("br", "input", "link", "meta"))
_OURS = re.compile(r"[\w .,:;#%()/+'=-]*", re.ASCII)


class Markup(str):
    """Text that is HTML already. Made here and of files that are part of this program only."""

    __slots__ = ()


Child = str | None


def text(foreign: str) -> Markup:
    """Text of anybody as a text node: what is not printable is written as an escape, lines stay lines."""
    longest = 10 * len(foreign)  # nothing is cut here: an escape has at most ten characters
    return Markup(escape("\n".join(one_line(line, longest) for line in foreign.split("\n"))))


def tag(element: str, *children: Child, **attributes: str | bool | None) -> Markup:
    """An element. Children that are no markup are text; None is nothing; `_` in the name of an attribute stands for `-`.

    Attributes are ours alone: a value that nobody would have written here raises ValueError.
    """
    head = element + "".join(_attribute(name.strip("_").replace("_", "-"), value) for name, value in attributes.items())
    return Markup(f"<{head}>" if element in _VOID else f"<{head}>{joined(children)}</{element}>")


def joined(children: Iterable[Child]) -> Markup:
    """The children one behind the other."""
    return Markup("".join(child if isinstance(child, Markup) else text(child) for child in children if child is not None))


def _attribute(name: str, value: str | bool | None) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    if not _OURS.fullmatch(value):
        raise ValueError(f"{name}={value!r} is not written by this program")
    return f' {name}="{escape(value)}"'
