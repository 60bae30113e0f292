"""Print the error budget of an availability objective, how much of it outages used, and what is left."""

from __future__ import annotations

import argparse
import re
import sys
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

OUTAGE = re.compile(r"\d{4}-\d{2}-\d{2}\s+(\d{2}):(\d{2})\s+(\d{2}):(\d{2})(?:\s+(\d{1,3}(?:\.\d+)?)\s*%)?")
DAY = 24 * 60


def tenth(value: Decimal) -> str:
    """Rounded to one place."""
    return str(value.quantize(Decimal("0.1"), ROUND_HALF_UP))


def full_minutes(line: str) -> Decimal | None:
    """Minutes of one outage weighted by the share that failed; past midnight counts on. None if it is no outage."""
    found = OUTAGE.fullmatch(line.strip())
    if not found:
        return None
    start, end = (int(found.group(place)) * 60 + int(found.group(place + 1)) for place in (1, 3))
    return Decimal((end - start) % DAY) * Decimal(found.group(5) or "100") / 100


def per_cent(text: str) -> Decimal:
    """An objective from an option. Raises ArgumentTypeError unless it lies between 0 and 100."""
    if not re.fullmatch(r"\d{1,2}(\.\d{1,6})?", text) or not Decimal(text):
        raise argparse.ArgumentTypeError(f"not between 0 and 100: {text}")
    return Decimal(text)


def days(text: str) -> int:
    """The length of a window from an option. Raises ArgumentTypeError unless it is from 1 to 366."""
    if not re.fullmatch(r"\d{1,3}", text) or not 1 <= int(text) <= 366:
        raise argparse.ArgumentTypeError(f"not from 1 to 366: {text}")
    return int(text)


def main() -> int:
    """Print budget, used and left; 2 for a file that cannot be read or a line that is no outage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--slo", type=per_cent, default=Decimal("99.9"), help="objective in per cent")
    parser.add_argument("--days", type=days, default=30, help="length of the window")
    given = parser.parse_args()
    try:
        lines = Path(given.file).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        print("error: cannot read the file", file=sys.stderr)
        return 2
    outages = [(place, full_minutes(line)) for place, line in enumerate(lines, 1) if line.strip()]
    for place, length in outages:
        if length is None:
            print(f"error: line {place} is not: date start end share%", file=sys.stderr)
            return 2
    budget = (100 - given.slo) / 100 * given.days * DAY
    used = sum((length for _, length in outages if length is not None), Decimal(0))
    print(f"Budget: {tenth(budget)} min for {given.slo} % over {given.days} days")
    print(f"Used: {tenth(used)} min in {len(outages)} outages, {tenth(used / budget * 100)} % of the budget")
    print(f"Left: {tenth(max(budget - used, Decimal(0)))} min")
    return 0


if __name__ == "__main__":
    sys.exit(main())
