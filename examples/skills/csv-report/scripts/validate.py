"""List what is wrong with a CSV file: header, row widths, empty cells, repeated rows, stray text among numbers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from csv_table import Refusal, number, read_lines, refuse

Line = tuple[int, list[str]]


def header_problems(header: Sequence[str]) -> list[str]:
    """Columns without a name or with the name of another one."""
    problems = [f"line 1: column {place} has no name" for place, name in enumerate(header, 1) if not name]
    twice = sorted({name for name in header if name and list(header).count(name) > 1})
    return problems + [f"line 1: column {name} appears more than once" for name in twice]


def width_problems(header: Sequence[str], rows: Sequence[Line]) -> list[Line]:
    """Rows with more or fewer cells than the header, as (line, message words)."""
    return [(line, [f"has {len(row)} columns, expected {len(header)}"]) for line, row in rows if len(row) != len(header)]


def empty_cells(header: Sequence[str], rows: Sequence[Line]) -> list[Line]:
    """Columns that are empty in a row of the right width."""
    found = [(line, [f"column {name} is empty" for place, name in enumerate(header) if not row[place]]) for line, row in rows]
    return [(line, words) for line, words in found if words]


def repeats(rows: Sequence[Line]) -> list[Line]:
    """Rows that say the same as an earlier one."""
    first: dict[tuple[str, ...], int] = {}
    found = []
    for line, row in rows:
        earlier = first.setdefault(tuple(row), line)
        if earlier != line:
            found.append((line, [f"repeats line {earlier}"]))
    return found


def stray_text(header: Sequence[str], rows: Sequence[Line]) -> list[Line]:
    """Cells that are no number in a column where at least two of three filled cells are."""
    found = []
    for place, name in enumerate(header):
        filled = [(line, row[place]) for line, row in rows if row[place]]
        odd = [(line, cell) for line, cell in filled if number(cell) is None]
        if odd and len(odd) * 3 <= len(filled):
            found += [(line, [f'column {name} is not a number: "{cell}"']) for line, cell in odd]
    return found


def problems(path: str) -> list[str]:
    """Every problem as one line, in the order of the file. Raises Refusal where it cannot be read."""
    header, rows = read_lines(path)
    fitting = [(line, row) for line, row in rows if len(row) == len(header)]
    found = width_problems(header, rows) + empty_cells(header, fitting) + repeats(rows) + stray_text(header, fitting)
    return header_problems(header) + [f"line {line}: {word}" for line, words in sorted(found) for word in words]


def main() -> int:
    """Print the problems and their number; 1 with `--strict` when there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--strict", action="store_true", help="exit 1 when there is a problem")
    given = parser.parse_args()
    try:
        found = problems(given.file)
    except Refusal as problem:
        return refuse(problem)
    print("\n".join([*found, f"Problems: {len(found)}" if found else "No problems found"]))
    return 1 if given.strict and found else 0


if __name__ == "__main__":
    sys.exit(main())
