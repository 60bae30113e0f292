"""Sort follow-up actions by priority and name what is missing from each."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ITEM = re.compile(r"[-*]\s+(.+)")
PRIORITY = re.compile(r"\[(P[1-3])\]")
OWNER = re.compile(r"@([\w-]+)")
DUE = re.compile(r"\(due (\d{4}-\d{2}-\d{2})\)")
NEEDED = ((PRIORITY, "no priority"), (OWNER, "no owner"), (DUE, "no due date"))
WEAK = ("be more careful", "remember to", "retrain", "try to", "look into", "consider")


def found(pattern: re.Pattern[str], text: str) -> str:
    """The first match of the pattern's group, or an empty string."""
    match = pattern.search(text)
    return match.group(1) if match else ""


def plain(text: str) -> str:
    """The action without priority, owner and date."""
    for pattern in (PRIORITY, OWNER, DUE):
        text = pattern.sub("", text)
    return " ".join(text.split())


def findings(text: str) -> list[str]:
    """What is missing from one action."""
    missing = [words for pattern, words in NEEDED if not found(pattern, text)]
    weak = [f'not an action: "{words}"' for words in WEAK if plain(text).lower().startswith(words)]
    return missing + weak


def render(text: str) -> list[str]:
    """One line for each action, P1 first, those without a priority last; then the counts."""
    items = [match.group(1) for match in map(ITEM.fullmatch, map(str.strip, text.splitlines())) if match]
    ordered = sorted(items, key=lambda item: (found(PRIORITY, item) or "P9", found(DUE, item) or "9999", plain(item)))
    lines = []
    for item in ordered:
        state = "; ".join(findings(item)) or "ok"
        lines.append(f"{found(PRIORITY, item) or '--'} {plain(item)}: {state}")
    return [*lines, f"Actions: {len(items)}, incomplete: {sum(1 for item in items if findings(item))}"]


def main() -> int:
    """Print the checked list; 2 when the file cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    given = parser.parse_args()
    try:
        text = Path(given.file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        print("error: cannot read the list", file=sys.stderr)
        return 2
    print("\n".join(render(text)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
