"""Print rows, totals and breakdowns of a CSV file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal

from csv_table import Refusal, Row, category_columns, cells, day_columns, number, numeric_columns, read_table, refuse, show

CENT = Decimal("0.01")


def column_line(name: str, rows: Sequence[Row]) -> str:
    """Total, mean, minimum and maximum of one numeric column; the mean is rounded to two places."""
    values = [Decimal(cell) for cell in cells(rows, name)]
    mean = (sum(values, Decimal(0)) / len(values)).quantize(CENT, ROUND_HALF_UP)
    return f"{name}: total {show(sum(values, Decimal(0)))}, mean {show(mean)}, min {show(min(values))}, max {show(max(values))}"


def group_sums(rows: Sequence[Row], key: Callable[[Row], str], name: str) -> dict[str, Decimal]:
    """The sum of one column for each group."""
    sums: dict[str, Decimal] = {}
    for row in rows:
        sums[key(row)] = sums.get(key(row), Decimal(0)) + (number(row[name]) or Decimal(0))
    return sums


def largest_first(sums: dict[str, Decimal], top: int | None) -> list[str]:
    """One line for each group, the largest sum first, equal sums by name."""
    ranked = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    return [f"{group}: {show(value)}" for group, value in ranked[:top]]


def in_order(sums: dict[str, Decimal]) -> list[str]:
    """One line for each group in the order of its name: for months, which is the order of time."""
    return [f"{group}: {show(value)}" for group, value in sorted(sums.items())]


def group_key(columns: Sequence[str]) -> Callable[[Row], str]:
    """A function from a row to the name of its group."""
    return lambda row: " / ".join(row[column] or "(empty)" for column in columns)


def need(names: Sequence[str], header: Sequence[str]) -> list[str]:
    """The names, unchanged. Raises Refusal for one that is not a column."""
    for name in names:
        if name not in header:
            raise Refusal(f"no such column: {name} (found: {', '.join(header)})")
    return list(names)


def month_key(column: str) -> Callable[[Row], str]:
    """A function from a row to the month of its date."""
    return lambda row: row[column][:7] or "(empty)"


def chosen_breakdown(rows: list[Row], sums: list[str], by: list[str], top: int | None) -> list[str]:
    """A block for each numeric column, grouped by the columns that the user chose."""
    lines: list[str] = []
    for name in sums:
        lines += ["", f"{name} by {' and '.join(by)}", *largest_first(group_sums(rows, group_key(by), name), top)]
    return lines


def every_breakdown(header: list[str], rows: list[Row], sums: list[str], top: int | None) -> list[str]:
    """A block for each numeric column and each category, then one for each month of a date column."""
    lines: list[str] = []
    for name in sums:
        for column in category_columns(header, rows):
            lines += ["", f"{name} by {column}", *largest_first(group_sums(rows, group_key([column]), name), top)]
        for column in day_columns(header, rows):
            lines += ["", f"{name} by month of {column}", *in_order(group_sums(rows, month_key(column), name))]
    return lines


def summary(path: str, by: list[str], only: list[str], top: int | None) -> list[str]:
    """All lines of the summary. Raises Refusal where the file or a column cannot be used."""
    header, rows = read_table(path)
    numeric = numeric_columns(header, rows)
    for name in need(only, header):
        if name not in numeric:
            raise Refusal(f"not a number in column {name}")
    sums = only or numeric
    lines = [f"Rows: {len(rows)}", f"Columns: {len(header)} ({', '.join(header)})"]
    if sums:
        lines += ["", "Totals", *(column_line(name, rows) for name in sums)]
    if need(by, header):
        return lines + chosen_breakdown(rows, sums, by, top)
    return lines + every_breakdown(header, rows, sums, top)


def names(text: str) -> list[str]:
    """Column names from a comma-separated option."""
    return [name.strip() for name in text.split(",") if name.strip()]


def main() -> int:
    """Parse the command line, print, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--by", type=names, default=[], help="group by these columns")
    parser.add_argument("--sum", type=names, default=[], dest="only", help="add up only these columns")
    parser.add_argument("--top", type=int, default=None, help="keep the largest groups only")
    given = parser.parse_args()
    try:
        print("\n".join(summary(given.file, given.by, given.only, given.top)))
    except Refusal as problem:
        return refuse(problem)
    return 0


if __name__ == "__main__":
    sys.exit(main())
