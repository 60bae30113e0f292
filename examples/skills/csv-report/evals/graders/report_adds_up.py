"""Check that the regions in report.md add up to its total; exit 1 with the difference when they do not."""

from __future__ import annotations

import re
import sys
from decimal import Decimal
from pathlib import Path

REGIONS = ("north", "south", "east", "west")


def main() -> int:
    """Compare, print one line, return the exit status."""
    text = Path("report.md").read_text(encoding="utf-8")
    total = re.search(r"total ([\d.]+)", text)
    parts = re.findall(rf"^- (?:{'|'.join(REGIONS)}): ([\d.]+)$", text, re.MULTILINE)
    if total is None or len(parts) != len(REGIONS):
        print(f"total or regions missing: {len(parts)} of {len(REGIONS)} regions")
        return 1
    difference = Decimal(total.group(1)) - sum(map(Decimal, parts))
    print(f"difference {difference}")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
