"""Write minutes.md: decisions, a table of actions, open questions."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from extract import Found, load


def listed(lines: list[str]) -> list[str]:
    """The lines as a list, or the word that there are none."""
    return [f"- {line}" for line in lines] or ["None."]


def page(found: Found) -> str:
    """The minutes as Markdown."""
    table = [f"| {row.person} | {row.text.replace('|', '/')} | {row.deadline} |" for row in found.actions]
    actions = ["| Who | What | By |", "|---|---|---|", *table] if table else ["None."]
    blocks = (("Decisions", listed(found.decisions)), ("Actions", actions), ("Open questions", listed(found.questions)))
    lines = ["# Minutes"]
    for title, content in blocks:
        lines += ["", f"## {title}", "", *content]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page and print how much is in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--out", default="minutes.md", help="where to write; default minutes.md")
    given = parser.parse_args()
    found = load(given.file)
    Path(given.out).write_text(page(found), encoding="utf-8")
    counts = f"{len(found.decisions)} decisions, {len(found.actions)} actions, {len(found.questions)} open questions"
    print(f"Wrote {Path(given.out).name}: {counts}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
