"""A Markdown file as passages: paragraphs, list items, table rows and code, each under the headings it stands under."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from selftune_build.limits import EMBEDDED_MARKDOWN_CHARACTERS, EMBEDDED_PASSAGE_CHARACTERS, EMBEDDED_PASSAGES

if TYPE_CHECKING:
    from markdown_it.token import Token

Kind = Literal["paragraph", "item", "step", "row", "code"]

_STEP_TITLE = re.compile(r"(?:step|phase|stage)\s+\d|\d+[.):]?\s", re.IGNORECASE)
_PLAIN_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)+\.\w{1,8}")
_LONGEST_PLAIN_PATH = 200


class Passage(Struct, frozen=True):
    """One block of text; a `step` is an item of a numbered list."""

    kind: Kind
    text: str
    titles: tuple[str, ...]
    """Headings above it, the outermost first."""
    section: tuple[str, ...]
    """The headings that its commands belong to: numbered headings ("Step 2") under one title are one sequence."""
    spans: tuple[str, ...] = ()
    """Link targets, inline code and bare paths in it, in this order, each once."""
    language: str = ""
    """Of a code block."""
    head: str = ""
    """Of a table row: the cells of its table's head."""


class _Place(Struct):
    """Where in the document the reader is."""

    headings: list[tuple[int, str]]
    lists: list[bool]
    cells: list[str] | None = None
    spans: list[str] | None = None
    in_head: bool = False
    head: str = ""


def without_frontmatter(text: str) -> str:
    """The text after the delimiter lines of a frontmatter, or all of it where there is none."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != "---":
        return "\n".join(lines)
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    return "\n".join(lines) if end is None else "\n".join(lines[end + 1 :])


@lru_cache(maxsize=128)
def passages(text: str) -> tuple[Passage, ...]:
    """The passages of a Markdown text in order; of a very long text those of its beginning."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").enable("table").parse(text[:EMBEDDED_MARKDOWN_CHARACTERS])
    found = []
    for passage in _walk(tokens):
        if passage.text.strip():
            found.append(passage)
        if len(found) >= EMBEDDED_PASSAGES:
            break
    return tuple(found)


@lru_cache(maxsize=128)
def paragraphs(text: str) -> tuple[Passage, ...]:
    """The passages of a text that is not Markdown: its parts between empty lines."""
    parts = re.split(r"\n[ \t]*\n", text[:EMBEDDED_MARKDOWN_CHARACTERS])
    kept = [part.strip("\n")[:EMBEDDED_PASSAGE_CHARACTERS] for part in parts if part.strip()]
    return tuple(Passage("paragraph", part, (), ()) for part in kept[:EMBEDDED_PASSAGES])


def _walk(tokens: Sequence[Token]) -> Iterator[Passage]:
    place = _Place([], [])
    for number, token in enumerate(tokens):
        match token.type:
            case "heading_open":
                _enter_heading(place, int(token.tag[1:]), tokens[number + 1].content)
            case "bullet_list_open" | "ordered_list_open":
                place.lists.append(token.type == "ordered_list_open")
            case "bullet_list_close" | "ordered_list_close":
                place.lists.pop()
            case "thead_open" | "thead_close":
                place.in_head = token.type == "thead_open"
            case "tr_open":
                place.cells, place.spans = [], []
            case "tr_close":
                yield from _row(place)
            case "inline" if tokens[number - 1].type != "heading_open":
                yield from _inline(place, token)
            case "fence" | "code_block":
                language = (token.info.split() or [""])[0].lower()
                yield _passage(place, "code", token.content, (), language)


def _enter_heading(place: _Place, level: int, title: str) -> None:
    while place.headings and place.headings[-1][0] >= level:
        place.headings.pop()
    place.headings.append((level, title.strip()[:EMBEDDED_PASSAGE_CHARACTERS]))


def _inline(place: _Place, token: Token) -> Iterator[Passage]:
    if place.cells is not None and place.spans is not None:
        place.cells.append(token.content)
        place.spans.extend(_spans(token))
        return
    kind: Kind = "paragraph" if not place.lists else "step" if place.lists[-1] else "item"
    yield _passage(place, kind, token.content, _spans(token))


def _row(place: _Place) -> Iterator[Passage]:
    line, spans = " | ".join(cell for cell in place.cells or () if cell), place.spans or []
    place.cells = place.spans = None
    if place.in_head:
        place.head = line[:EMBEDDED_PASSAGE_CHARACTERS]
    else:
        yield _passage(place, "row", line, spans, head=place.head)


def _passage(place: _Place, kind: Kind, text: str, spans: Sequence[str], language: str = "", head: str = "") -> Passage:
    titles = tuple(title for _, title in place.headings)
    section = titles[:-1] if titles and _STEP_TITLE.match(titles[-1]) else titles
    return Passage(kind, text[:EMBEDDED_PASSAGE_CHARACTERS], titles, section, tuple(dict.fromkeys(spans)), language, head)


def _spans(token: Token) -> list[str]:
    children = token.children or []
    links = [str(child.attrs.get("href", "")) for child in children if child.type == "link_open"]
    code = [child.content for child in children if child.type == "code_inline"]
    words = [word.strip(".,;:!?()") for child in children if child.type == "text" for word in child.content.split()]
    plain = [word for word in words if "/" in word and len(word) <= _LONGEST_PLAIN_PATH and _PLAIN_PATH.fullmatch(word)]
    return [*links, *code, *plain]
