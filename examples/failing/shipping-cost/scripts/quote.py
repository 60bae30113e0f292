"""Print the price of every parcel of a list and the total."""

from __future__ import annotations

import csv
import sys
from decimal import Decimal
from pathlib import Path

TARIFF = Path(__file__).resolve().parent.parent / "assets" / "tariff.csv"


def price(zone: str, weight: Decimal, steps: list[dict[str, str]]) -> Decimal:
    """The price of the first step that carries the weight. Raises LookupError where none does."""
    for step in steps:
        if step["zone"] == zone and weight <= Decimal(step["up_to_kg"]):
            return Decimal(step["price"])
    raise LookupError(f"no tariff for {zone} {weight} kg")


def quote(parcels: str, steps: list[dict[str, str]]) -> list[str]:
    """One line for each parcel and the total. Raises LookupError, ValueError and ArithmeticError for a bad line."""
    lines, total = [], Decimal(0)
    for line in filter(None, map(str.strip, parcels.splitlines())):
        zone, weight = line.split()
        cost = price(zone, Decimal(weight), steps)
        total += cost
        lines.append(f"{zone} {weight} kg: {cost} EUR")
    return [*lines, f"Total: {total} EUR"]


def main() -> int:
    """Print the quote; 1 without a tariff, 2 without a usable list."""
    if len(sys.argv) != 2:
        print("usage: quote.py FILE", file=sys.stderr)
        return 2
    try:
        with TARIFF.open(encoding="utf-8", newline="") as table:
            steps = list(csv.DictReader(table))
    except FileNotFoundError:
        print(f"error: the tariff assets/{TARIFF.name} is missing", file=sys.stderr)
        return 1
    try:
        print("\n".join(quote(Path(sys.argv[1]).read_text(encoding="utf-8"), steps)))
    except (OSError, LookupError, ValueError, ArithmeticError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
