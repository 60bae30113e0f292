"""Tables of a Markdown text, edited by their lines: a row that nobody touches keeps every byte, and every row its columns.

Which lines are a table is what the parser of GitHub's Markdown says (markdown-it, rule `table`), so none is found in a code
block; a cell ends at a `|` that has no backslash before it (GFM, section 4.10).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from selftune_build.limits import EMBEDDED_MARKDOWN_CHARACTERS

_PIPE = re.compile(r"(?<!\\)\|")


class Row(Struct, frozen=True):
    """One line of a table: what stands before its first cell, its cells with their white space, what stands behind."""

    start: str
    cells: tuple[str, ...]
    end: str

    def text(self, column: int) -> str:
        """What a cell says; nothing where the row is too short."""
        return self.cells[column].strip().replace("\\|", "|") if column < len(self.cells) else ""

    def with_text(self, column: int, text: str) -> Row:
        """The row with another text in one cell, its white space and all other cells as they were."""
        old = self.cells[column]
        bare = old.strip()
        left = old[: len(old) - len(old.lstrip())] if bare else " "
        right = old[len(old.rstrip()) :] if bare else " "
        cell = f"{left}{text.replace('|', chr(92) + '|')}{right}"
        return replace(self, cells=(*self.cells[:column], cell, *self.cells[column + 1 :]))

    @property
    def line(self) -> str:
        """The whole line, its end included."""
        return f"{self.start}{'|'.join(self.cells)}{self.end}"


class Table(Struct, frozen=True):
    """A table: the index of its first data row among the lines of the text, its head, its data rows."""

    first: int
    head: Row
    rows: tuple[Row, ...]


def tables(lines: list[str]) -> Iterator[Table]:
    """The tables of a text that stand in no list or quotation; `lines` have their ends."""
    from markdown_it import MarkdownIt

    text = "".join(lines)
    for token in MarkdownIt("commonmark").enable("table").parse(text) if len(text) <= EMBEDDED_MARKDOWN_CHARACTERS else ():
        if token.type == "table_open" and token.level == 0 and token.map is not None:
            start, end = token.map
            yield Table(start + 2, row_of(lines[start]), tuple(map(row_of, lines[start + 2 : end])))


def with_rows(lines: list[str], table: Table, rows: tuple[Row, ...]) -> list[str]:
    """The text with these data rows in place of those of the table."""
    return [*lines[: table.first], *(row.line for row in _ended(rows, lines, table)), *lines[table.first + len(table.rows) :]]


def row_of(line: str) -> Row:
    """A line of a table in its parts."""
    bare = line.rstrip("\r\n")
    parts = _PIPE.split(bare)
    start = end = ""
    if len(parts) > 1 and not parts[0].strip():
        start = parts.pop(0) + "|"
    if len(parts) > 1 and not parts[-1].strip():
        end = "|" + parts.pop()
    return Row(start, tuple(parts), end + line[len(bare) :])


def _ended(rows: tuple[Row, ...], lines: list[str], table: Table) -> Iterator[Row]:
    """Every row but the last of the text ends its line, whichever of them stood there."""
    ends = "\r\n" if lines[table.first - 1].endswith("\r\n") else "\n"
    last_of_all = table.first + len(table.rows) == len(lines)
    unended = last_of_all and not lines[-1].endswith("\n")
    for number, row in enumerate(rows):
        bare = row.end.rstrip("\r\n")
        yield replace(row, end=bare if unended and number == len(rows) - 1 else bare + ends)
