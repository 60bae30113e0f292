"""Read a CSV file into rows and tell its numeric, date and category columns apart."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path

DELIMITERS = (",", ";", "\t")
NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,12})?")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
MOST_CATEGORIES = 20

Row = dict[str, str]


class Refusal(Exception):
    """The file or a column cannot be used; the message says why."""


def read_lines(path: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header and every later row with the line number on which it ends; blank lines are left out."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Refusal(f"cannot read {Path(path).name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Refusal(f"{Path(path).name} is not UTF-8 text") from error
    lines = text.splitlines()
    if not lines:
        raise Refusal("empty file")
    delimiter = max(DELIMITERS, key=lines[0].count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    return rows[0][1], rows[1:]


def read_table(path: str) -> tuple[list[str], list[Row]]:
    """The column names and the rows as dictionaries; a short row has empty cells, surplus cells are dropped."""
    header, rows = read_lines(path)
    width = len(header)
    padded = [(row + [""] * width)[:width] for _, row in rows]
    return header, [{name: row[place] for place, name in enumerate(header)} for row in padded]


def number(cell: str) -> Decimal | None:
    """The cell as an exact number, or None."""
    return Decimal(cell) if NUMBER.fullmatch(cell) else None


def show(value: Decimal) -> str:
    """A number without exponent and without trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def cells(rows: Iterable[Row], name: str) -> list[str]:
    """The cells of one column that are not empty."""
    return [row[name] for row in rows if row[name]]


def is_identifier(name: str) -> bool:
    """Whether numbers in this column name things, so that adding them up means nothing."""
    return bool(re.search(r"(^|[_ ])(id|no|nr|number|code|zip|year)$", name.lower()))


def numeric_columns(header: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """Columns in which every filled cell is a number."""
    return [
        name
        for name in header
        if cells(rows, name) and not is_identifier(name) and all(number(cell) is not None for cell in cells(rows, name))
    ]


def day_columns(header: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """Columns in which every filled cell is a date YYYY-MM-DD."""
    return [name for name in header if cells(rows, name) and all(DAY.fullmatch(cell) for cell in cells(rows, name))]


def category_columns(header: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """Text columns whose values repeat, so that a breakdown by them says something."""
    others = {*numeric_columns(header, rows), *day_columns(header, rows)}
    return [
        name for name in header if name not in others and 2 <= len(set(cells(rows, name))) <= min(MOST_CATEGORIES, len(rows) - 1)
    ]


def refuse(problem: Refusal) -> int:
    """Print the refusal on stderr; the exit status to leave with."""
    print(f"error: {problem}", file=sys.stderr)
    return 2
