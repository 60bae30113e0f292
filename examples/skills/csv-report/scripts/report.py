"""Write report.md: the summary and the problems of a CSV file on one page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from csv_table import Refusal, refuse
from summarise import summary
from validate import problems


def bullet(line: str) -> str:
    """A line of the summary as Markdown: figures become list items, titles become headings."""
    if not line:
        return ""
    return f"- {line}" if ": " in line else f"## {line}\n"


def page(path: str) -> str:
    """The report as Markdown. Raises Refusal where the file cannot be read."""
    found = [f"- {problem}" for problem in problems(path)] or ["None."]
    body = [bullet(line) for line in summary(path, [], [], None)]
    return "\n".join([f"# Report on {Path(path).name}", "", *body, "", "## Problems", "", *found]) + "\n"


def main() -> int:
    """Write the page, print where it is and how long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--out", default="report.md", help="where to write; default report.md")
    given = parser.parse_args()
    try:
        text = page(given.file)
    except Refusal as problem:
        return refuse(problem)
    Path(given.out).write_text(text, encoding="utf-8")
    print(f"Wrote {Path(given.out).name}: {len(text.splitlines())} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
